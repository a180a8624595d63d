// Tells kubelet of a CSI driver: what node-driver-registrar does, of which no module is published, with the two of its flags that the manifest gives.
package main

import (
	"context"
	"flag"
	"log"
	"net"
	"os"
	"time"

	"github.com/container-storage-interface/spec/lib/go/csi"
	"google.golang.org/grpc"
	"google.golang.org/grpc/credentials/insecure"
	registration "k8s.io/kubelet/pkg/apis/pluginregistration/v1"
)

type server struct {
	registration.UnimplementedRegistrationServer
	name, endpoint string
}

func (s server) GetInfo(context.Context, *registration.InfoRequest) (*registration.PluginInfo, error) {
	return &registration.PluginInfo{Type: registration.CSIPlugin, Name: s.name, Endpoint: s.endpoint, SupportedVersions: []string{"1.0.0"}}, nil
}

// NotifyRegistrationStatus ends the program where kubelet refuses: started again, it asks again.
func (s server) NotifyRegistrationStatus(_ context.Context, r *registration.RegistrationStatus) (*registration.RegistrationStatusResponse, error) {
	if !r.PluginRegistered {
		log.Fatal("not registered: ", r.Error)
	}
	log.Print("registered: ", s.name)
	return &registration.RegistrationStatusResponse{}, nil
}

// driverName asks the driver, as soon as it listens.
func driverName(socket string) string {
	connection, err := grpc.NewClient("unix://"+socket, grpc.WithTransportCredentials(insecure.NewCredentials()))
	if err != nil {
		log.Fatal(err)
	}
	defer connection.Close()
	ctx, cancel := context.WithTimeout(context.Background(), 30*time.Second)
	defer cancel()
	info, err := csi.NewIdentityClient(connection).GetPluginInfo(ctx, &csi.GetPluginInfoRequest{}, grpc.WaitForReady(true))
	if err != nil {
		log.Fatal(err)
	}
	return info.GetName()
}

func main() {
	socket := flag.String("csi-address", "", "the driver's socket, here")
	endpoint := flag.String("kubelet-registration-path", "", "the driver's socket, as kubelet sees it")
	flag.Parse()
	name := driverName(*socket)
	path := "/registration/" + name + "-reg.sock"
	if err := os.Remove(path); err != nil && !os.IsNotExist(err) {
		log.Fatal(err)
	}
	listener, err := net.Listen("unix", path)
	if err != nil {
		log.Fatal(err)
	}
	s := grpc.NewServer()
	registration.RegisterRegistrationServer(s, server{name: name, endpoint: *endpoint})
	log.Fatal(s.Serve(listener))
}
