// Pods whose images are programs that this machine has (NODELET_PROGRAMS): the real cloud controller and CSI controller. Every other
// pod is kwok's. Such a pod gets what a kubelet and a runtime give: its volumes, a service-account token of its own, environment, restarts,
// an end in order, a status. It shares the guest's network and root file system; its mounts are its own. Probes are not played.
package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/url"
	"os"
	"os/exec"
	"path/filepath"
	"reflect"
	"runtime"
	"slices"
	"sort"
	"strings"
	"sync"
	"syscall"
	"time"

	authenticationv1 "k8s.io/api/authentication/v1"
	corev1 "k8s.io/api/core/v1"
	storagev1 "k8s.io/api/storage/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/types"
	"k8s.io/client-go/kubernetes"
	"k8s.io/klog/v2"
	"k8s.io/kubernetes/third_party/forked/golang/expansion"
	"sigs.k8s.io/yaml"
)

const (
	podsDir    = "/var/lib/kubelet/pods"
	tokenLife  = 3607 * time.Second // a kubelet's
	cinderName = "cinder.csi.openstack.org"
)

type programs struct {
	n        *nodelet
	client   kubernetes.Interface
	api      *url.URL
	dir      string
	images   []string
	mu       sync.Mutex
	pods     map[types.UID]*programPod
	csi      bool          // this node's CSINode is written
	newLogs  chan struct{} // kwok is to show other log files
	refilled time.Time
}

type programPod struct {
	pod     *corev1.Pod
	cancel  context.CancelFunc
	done    sync.WaitGroup
	tokenAt time.Time
	mu      sync.Mutex
	states  map[string]*corev1.ContainerStatus
	sent    *corev1.PodStatus
}

func newPrograms(n *nodelet, client kubernetes.Interface, api *url.URL) *programs {
	p := &programs{n: n, client: client, api: api, dir: env("NODELET_PROGRAMS", "/opt/kubernetes/programs"), pods: map[types.UID]*programPod{}, newLogs: make(chan struct{}, 1)}
	entries, _ := os.ReadDir(p.dir)
	for _, e := range entries {
		p.images = append(p.images, e.Name())
	}
	return p
}

// program finds what a container runs; empty: this image is simulated.
func (p *programs) program(c *corev1.Container) string {
	image := filepath.Base(c.Image)
	if !slices.Contains(p.images, image) {
		return ""
	}
	name, _, _ := strings.Cut(image, ":")
	if len(c.Command) > 0 {
		name = filepath.Base(c.Command[0])
	}
	return filepath.Join(p.dir, image, name)
}

func (p *programs) runs(pod *corev1.Pod) bool {
	if _, mirror := pod.Annotations["kubernetes.io/config.mirror"]; mirror {
		return false
	}
	for i := range pod.Spec.Containers {
		if p.program(&pod.Spec.Containers[i]) == "" {
			return false
		}
	}
	return true
}

// kwokSelector keeps kwok's stages off the pods that run here.
func (p *programs) kwokSelector(template []byte) []byte {
	images, _ := json.Marshal(p.images)
	rule := map[string]any{"operator": "In", "values": []any{"simulated"},
		"key": fmt.Sprintf(`[.spec.containers[].image | split("/") | .[-1]] - %s | if length == 0 then "program" else "simulated" end`, images)}
	var out []string
	for _, text := range strings.Split(string(template), "\n---\n") {
		var stage map[string]any
		if yaml.Unmarshal([]byte(text), &stage) == nil && stage["kind"] == "Stage" {
			spec, _ := stage["spec"].(map[string]any)
			resource, _ := spec["resourceRef"].(map[string]any)
			if resource["kind"] == "Pod" {
				selector, _ := spec["selector"].(map[string]any)
				if selector == nil {
					selector = map[string]any{}
					spec["selector"] = selector
				}
				rules, _ := selector["matchExpressions"].([]any)
				selector["matchExpressions"] = append(rules, rule)
				changed, _ := yaml.Marshal(stage)
				text = string(changed)
			}
		}
		out = append(out, text)
	}
	return []byte(strings.Join(out, "\n---\n"))
}

// logs are kwok's rules for the real logs of the pods that run here.
func (p *programs) logs() string {
	p.mu.Lock()
	defer p.mu.Unlock()
	var out strings.Builder
	for _, running := range p.pods {
		fmt.Fprintf(&out, "\n---\nkind: Logs\napiVersion: kwok.x-k8s.io/v1alpha1\nmetadata: {name: %s, namespace: %s}\nspec:\n  logs:\n", running.pod.Name, running.pod.Namespace)
		for _, c := range running.pod.Spec.Containers {
			fmt.Fprintf(&out, "  - {containers: [%s], logsFile: %s}\n", c.Name, logFile(running.pod, c.Name))
		}
	}
	return out.String()
}

func logFile(pod *corev1.Pod, container string) string {
	return filepath.Join(containerLogs, pod.Name+"_"+container+".log")
}

// reconcile is called each second with this node's pods of kube-system.
func (p *programs) reconcile(ctx context.Context, items []corev1.Pod) {
	p.registerCSI(ctx, items)
	there := map[types.UID]bool{}
	for i := range items {
		pod := &items[i]
		if !p.runs(pod) {
			continue
		}
		p.mu.Lock()
		running := p.pods[pod.UID]
		p.mu.Unlock()
		switch {
		case pod.DeletionTimestamp != nil:
			if running != nil {
				p.stop(running)
			}
			uid := pod.UID
			now := metav1.DeleteOptions{GracePeriodSeconds: new(int64), Preconditions: &metav1.Preconditions{UID: &uid}}
			if err := p.client.CoreV1().Pods(pod.Namespace).Delete(ctx, pod.Name, now); err != nil && !apierrors.IsNotFound(err) {
				klog.Errorf("%s: %v", pod.Name, err)
			}
			continue
		case running == nil:
			p.start(ctx, pod)
		default:
			p.report(ctx, running, pod)
		}
		there[pod.UID] = true
	}
	p.mu.Lock()
	var gone []*programPod
	for uid, running := range p.pods {
		if !there[uid] {
			gone = append(gone, running)
		}
	}
	p.mu.Unlock()
	for _, running := range gone {
		p.stop(running)
	}
	if time.Since(p.refilled) > 30*time.Second {
		p.refilled = time.Now()
		p.mu.Lock()
		all := make([]*programPod, 0, len(p.pods))
		for _, running := range p.pods {
			all = append(all, running)
		}
		p.mu.Unlock()
		for _, running := range all {
			if err := p.fill(ctx, running); err != nil {
				klog.Errorf("%s: volumes: %v", running.pod.Name, err)
			}
		}
	}
}

func (p *programs) start(ctx context.Context, pod *corev1.Pod) {
	running := &programPod{pod: pod.DeepCopy(), states: map[string]*corev1.ContainerStatus{}}
	if err := p.fill(ctx, running); err != nil {
		klog.Errorf("%s: volumes are not there yet: %v", pod.Name, err)
		return
	}
	podCtx, cancel := context.WithCancel(ctx)
	running.cancel = cancel
	for _, container := range running.pod.Spec.Containers {
		running.states[container.Name] = &corev1.ContainerStatus{Name: container.Name, Image: container.Image, ImageID: container.Image}
		running.done.Add(1)
		go p.keepRunning(podCtx, running, container)
	}
	p.mu.Lock()
	p.pods[pod.UID] = running
	p.mu.Unlock()
	select {
	case p.newLogs <- struct{}{}:
	default:
	}
}

func (p *programs) stop(running *programPod) {
	running.cancel()
	running.done.Wait()
	_ = os.RemoveAll(filepath.Join(podsDir, string(running.pod.UID)))
	p.mu.Lock()
	delete(p.pods, running.pod.UID)
	p.mu.Unlock()
}

func (p *programs) stopAll() {
	p.mu.Lock()
	all := make([]*programPod, 0, len(p.pods))
	for _, running := range p.pods {
		running.cancel()
		all = append(all, running)
	}
	p.mu.Unlock()
	for _, running := range all {
		running.done.Wait()
	}
}

// ---- containers

// container is what `nodelet container FILE` sets up in a mount namespace of its own, and becomes.
type container struct {
	Mounts  []bind
	Program string
	Args    []string
	Env     []string
}

type bind struct {
	From, To string
	ReadOnly bool
}

func enterContainer(file string) error {
	raw, err := os.ReadFile(file)
	if err != nil {
		return err
	}
	var c container
	if err := json.Unmarshal(raw, &c); err != nil {
		return err
	}
	if err := syscall.Mount("", "/", "", syscall.MS_REC|syscall.MS_PRIVATE, ""); err != nil {
		return fmt.Errorf("own mounts: %w", err)
	}
	for _, m := range c.Mounts {
		info, err := os.Stat(m.From)
		if err != nil {
			return err
		}
		if info.IsDir() {
			err = os.MkdirAll(m.To, 0o755)
		} else if err = os.MkdirAll(filepath.Dir(m.To), 0o755); err == nil {
			var f *os.File
			if f, err = os.OpenFile(m.To, os.O_CREATE, 0o644); err == nil {
				_ = f.Close()
			}
		}
		if err != nil {
			return err
		}
		if err := syscall.Mount(m.From, m.To, "", syscall.MS_BIND|syscall.MS_REC, ""); err != nil {
			return fmt.Errorf("%s at %s: %w", m.From, m.To, err)
		}
		if m.ReadOnly { // what may not be changed where the name space is not ours stays as it is
			_ = syscall.Mount("", m.To, "", syscall.MS_BIND|syscall.MS_REMOUNT|syscall.MS_RDONLY, "")
		}
	}
	return syscall.Exec(c.Program, c.Args, c.Env)
}

func (p *programs) keepRunning(ctx context.Context, running *programPod, c corev1.Container) {
	defer running.done.Done()
	_ = os.MkdirAll(containerLogs, 0o755)
	set := func(change func(*corev1.ContainerStatus)) {
		running.mu.Lock()
		change(running.states[c.Name])
		running.mu.Unlock()
	}
	for backoff := time.Second; ctx.Err() == nil; backoff = min(2*backoff, 20*time.Second) {
		started := time.Now()
		last, err := p.run(ctx, running, &c, func() {
			at, yes := metav1.Now(), true
			set(func(s *corev1.ContainerStatus) {
				s.State = corev1.ContainerState{Running: &corev1.ContainerStateRunning{StartedAt: at}}
				s.Started = &yes
			})
		})
		if ctx.Err() != nil {
			return
		}
		message := fmt.Sprintf("%v: %s", err, last)
		klog.Infof("%s: %s ended: %s", running.pod.Name, c.Name, message)
		code := int32(1)
		var exit *exec.ExitError
		if errors.As(err, &exit) {
			code = int32(exit.ExitCode())
		} else if err == nil {
			code = 0
		}
		set(func(s *corev1.ContainerStatus) {
			no := false
			s.Ready, s.Started = false, &no
			s.RestartCount++
			s.LastTerminationState = corev1.ContainerState{Terminated: &corev1.ContainerStateTerminated{
				ExitCode: code, Reason: "Error", Message: last, StartedAt: metav1.NewTime(started), FinishedAt: metav1.Now()}}
			s.State = corev1.ContainerState{Waiting: &corev1.ContainerStateWaiting{Reason: "CrashLoopBackOff", Message: message}}
		})
		if time.Since(started) > time.Minute {
			backoff = time.Second
		}
		select {
		case <-ctx.Done():
		case <-time.After(backoff):
		}
	}
}

// run is one life of a container; it answers its last line.
func (p *programs) run(ctx context.Context, running *programPod, c *corev1.Container, started func()) (string, error) {
	setup, err := p.setup(ctx, running, c)
	if err != nil {
		return "", err
	}
	raw, err := json.Marshal(setup)
	if err != nil {
		return "", err
	}
	file := filepath.Join(podsDir, string(running.pod.UID), c.Name+".json")
	if err := os.WriteFile(file, raw, 0o600); err != nil {
		return "", err
	}
	cmd := exec.Command("/proc/self/exe", "container", file)
	cmd.Args[0] = "nodelet"
	cmd.SysProcAttr = &syscall.SysProcAttr{Pdeathsig: syscall.SIGKILL, Setpgid: true, Cloneflags: syscall.CLONE_NEWNS}
	log := newCRILog(logFile(running.pod, c.Name))
	tail := &lastLine{}
	cmd.Stdout, cmd.Stderr = io.MultiWriter(log.stream("stdout"), tail), io.MultiWriter(log.stream("stderr"), tail)
	runtime.LockOSThread() // Pdeathsig is bound to the thread
	defer runtime.UnlockOSThread()
	if err := cmd.Start(); err != nil {
		return "", err
	}
	started()
	exited := make(chan struct{})
	go func() {
		select {
		case <-exited:
			return
		case <-ctx.Done():
		}
		_ = cmd.Process.Signal(syscall.SIGTERM)
		select {
		case <-exited:
		case <-time.After(5 * time.Second):
			_ = cmd.Process.Kill()
		}
	}()
	err = cmd.Wait()
	close(exited)
	log.Close()
	return tail.text(), err
}

func (p *programs) setup(ctx context.Context, running *programPod, c *corev1.Container) (*container, error) {
	names := map[string]string{"KUBERNETES_SERVICE_HOST": p.api.Hostname(), "KUBERNETES_SERVICE_PORT": p.api.Port(), "KUBERNETES_SERVICE_PORT_HTTPS": p.api.Port(),
		"PATH": os.Getenv("PATH"), "HOSTNAME": running.pod.Name}
	for _, e := range c.Env {
		value := e.Value
		if e.ValueFrom != nil {
			var err error
			if value, err = p.valueFrom(ctx, running.pod, e.ValueFrom); err != nil {
				return nil, fmt.Errorf("%s: %w", e.Name, err)
			}
		}
		names[e.Name] = expansion.Expand(value, expansion.MappingFuncFor(names))
	}
	var argv []string
	for _, word := range append(slices.Clone(c.Command), c.Args...) {
		argv = append(argv, expansion.Expand(word, expansion.MappingFuncFor(names)))
	}
	program := p.program(c)
	if len(c.Command) == 0 {
		argv = append([]string{filepath.Base(program)}, argv...)
	}
	setup := &container{Program: program, Args: argv}
	for name, value := range names {
		setup.Env = append(setup.Env, name+"="+value)
	}
	sort.Strings(setup.Env)
	for _, m := range c.VolumeMounts {
		from, err := p.volume(running.pod, m.Name)
		if err != nil {
			return nil, err
		}
		setup.Mounts = append(setup.Mounts, bind{From: filepath.Join(from, m.SubPath), To: m.MountPath, ReadOnly: m.ReadOnly})
	}
	return setup, nil
}

func (p *programs) valueFrom(ctx context.Context, pod *corev1.Pod, source *corev1.EnvVarSource) (string, error) {
	switch {
	case source.FieldRef != nil:
		return p.field(pod, source.FieldRef.FieldPath)
	case source.SecretKeyRef != nil:
		secret, err := p.client.CoreV1().Secrets(pod.Namespace).Get(ctx, source.SecretKeyRef.Name, metav1.GetOptions{})
		if err != nil {
			return "", err
		}
		return string(secret.Data[source.SecretKeyRef.Key]), nil
	}
	return "", errors.New("this source is not played")
}

func (p *programs) field(pod *corev1.Pod, path string) (string, error) {
	fields := map[string]string{"metadata.name": pod.Name, "metadata.namespace": pod.Namespace, "metadata.uid": string(pod.UID),
		"spec.nodeName": pod.Spec.NodeName, "spec.serviceAccountName": pod.Spec.ServiceAccountName, "status.podIP": p.n.ip, "status.hostIP": p.n.ip}
	value, known := fields[path]
	if !known {
		return "", fmt.Errorf("the field %s is not played", path)
	}
	return value, nil
}

// ---- volumes

func (p *programs) volume(pod *corev1.Pod, name string) (string, error) {
	for _, v := range pod.Spec.Volumes {
		if v.Name != name {
			continue
		}
		if v.HostPath != nil {
			return v.HostPath.Path, nil
		}
		return filepath.Join(podsDir, string(pod.UID), "volumes", name), nil
	}
	return "", fmt.Errorf("there is no volume %s", name)
}

// fill writes the volumes, and again what has changed; tokens before they end.
func (p *programs) fill(ctx context.Context, running *programPod) error {
	renew := time.Since(running.tokenAt) > tokenLife*2/3
	for _, v := range running.pod.Spec.Volumes {
		dir, err := p.volume(running.pod, v.Name)
		if err != nil {
			return err
		}
		if v.HostPath == nil || v.HostPath.Type == nil || *v.HostPath.Type == corev1.HostPathDirectoryOrCreate {
			if err := os.MkdirAll(dir, 0o755); err != nil {
				return err
			}
		}
		switch {
		case v.Secret != nil:
			err = p.secret(ctx, running.pod, v.Secret.SecretName, v.Secret.Items, v.Secret.Optional, dir)
		case v.ConfigMap != nil:
			err = p.configMap(ctx, running.pod, v.ConfigMap.Name, v.ConfigMap.Items, v.ConfigMap.Optional, dir)
		case v.Projected != nil:
			for _, s := range v.Projected.Sources {
				switch {
				case s.Secret != nil:
					err = p.secret(ctx, running.pod, s.Secret.Name, s.Secret.Items, s.Secret.Optional, dir)
				case s.ConfigMap != nil:
					err = p.configMap(ctx, running.pod, s.ConfigMap.Name, s.ConfigMap.Items, s.ConfigMap.Optional, dir)
				case s.DownwardAPI != nil:
					err = p.downward(running.pod, s.DownwardAPI.Items, dir)
				case s.ServiceAccountToken != nil && renew:
					err = p.token(ctx, running.pod, s.ServiceAccountToken, dir)
				}
				if err != nil {
					return fmt.Errorf("%s: %w", v.Name, err)
				}
			}
		case v.DownwardAPI != nil:
			err = p.downward(running.pod, v.DownwardAPI.Items, dir)
		case v.EmptyDir != nil, v.HostPath != nil:
		default:
			err = errors.New("this kind of volume is not played")
		}
		if err != nil {
			return fmt.Errorf("%s: %w", v.Name, err)
		}
	}
	if renew {
		running.tokenAt = time.Now()
	}
	return nil
}

func (p *programs) secret(ctx context.Context, pod *corev1.Pod, name string, items []corev1.KeyToPath, optional *bool, dir string) error {
	secret, err := p.client.CoreV1().Secrets(pod.Namespace).Get(ctx, name, metav1.GetOptions{})
	if err != nil {
		if apierrors.IsNotFound(err) && optional != nil && *optional {
			return nil
		}
		return err
	}
	return project(secret.Data, items, dir)
}

func (p *programs) configMap(ctx context.Context, pod *corev1.Pod, name string, items []corev1.KeyToPath, optional *bool, dir string) error {
	m, err := p.client.CoreV1().ConfigMaps(pod.Namespace).Get(ctx, name, metav1.GetOptions{})
	if err != nil {
		if apierrors.IsNotFound(err) && optional != nil && *optional {
			return nil
		}
		return err
	}
	data := map[string][]byte{}
	for key, text := range m.Data {
		data[key] = []byte(text)
	}
	return project(data, items, dir)
}

func (p *programs) downward(pod *corev1.Pod, items []corev1.DownwardAPIVolumeFile, dir string) error {
	for _, item := range items {
		if item.FieldRef == nil {
			return errors.New("this downward field is not played")
		}
		value, err := p.field(pod, item.FieldRef.FieldPath)
		if err != nil {
			return err
		}
		if err := replaceFile(filepath.Join(dir, item.Path), []byte(value)); err != nil {
			return err
		}
	}
	return nil
}

func (p *programs) token(ctx context.Context, pod *corev1.Pod, source *corev1.ServiceAccountTokenProjection, dir string) error {
	seconds := int64(tokenLife / time.Second)
	request := &authenticationv1.TokenRequest{Spec: authenticationv1.TokenRequestSpec{ExpirationSeconds: &seconds,
		BoundObjectRef: &authenticationv1.BoundObjectReference{APIVersion: "v1", Kind: "Pod", Name: pod.Name, UID: pod.UID}}}
	if source.Audience != "" {
		request.Spec.Audiences = []string{source.Audience}
	}
	answer, err := p.client.CoreV1().ServiceAccounts(pod.Namespace).CreateToken(ctx, pod.Spec.ServiceAccountName, request, metav1.CreateOptions{})
	if err != nil {
		return err
	}
	return replaceFile(filepath.Join(dir, source.Path), []byte(answer.Status.Token))
}

func project(data map[string][]byte, items []corev1.KeyToPath, dir string) error {
	if len(items) == 0 {
		for key := range data {
			items = append(items, corev1.KeyToPath{Key: key, Path: key})
		}
	}
	for _, item := range items {
		if err := replaceFile(filepath.Join(dir, item.Path), data[item.Key]); err != nil {
			return err
		}
	}
	return nil
}

func replaceFile(path string, content []byte) error {
	if old, err := os.ReadFile(path); err == nil && string(old) == string(content) {
		return nil
	}
	if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
		return err
	}
	if err := os.WriteFile(path+".new", content, 0o600); err != nil {
		return err
	}
	return os.Rename(path+".new", path)
}

// ---- what the cluster sees

func (p *programs) report(ctx context.Context, running *programPod, seen *corev1.Pod) {
	status := seen.Status.DeepCopy()
	status.Phase, status.Reason, status.Message = corev1.PodRunning, "", ""
	status.HostIP, status.PodIP = p.n.ip, p.n.ip
	status.HostIPs, status.PodIPs = []corev1.HostIP{{IP: p.n.ip}}, []corev1.PodIP{{IP: p.n.ip}}
	ready := true
	status.ContainerStatuses = nil
	running.mu.Lock()
	for _, c := range running.pod.Spec.Containers {
		state := running.states[c.Name]
		// One that fails at its start is never called ready.
		state.Ready = state.State.Running != nil && time.Since(state.State.Running.StartedAt.Time) >= 2*time.Second
		ready = ready && state.Ready
		status.ContainerStatuses = append(status.ContainerStatuses, *state.DeepCopy())
	}
	running.mu.Unlock()
	if status.StartTime == nil {
		now := metav1.Now()
		status.StartTime = &now
	}
	for _, kind := range []corev1.PodConditionType{corev1.PodInitialized, corev1.ContainersReady, corev1.PodReady} {
		value := corev1.ConditionTrue
		if kind != corev1.PodInitialized && !ready {
			value = corev1.ConditionFalse
		}
		at := slices.IndexFunc(status.Conditions, func(c corev1.PodCondition) bool { return c.Type == kind })
		if at < 0 {
			status.Conditions = append(status.Conditions, corev1.PodCondition{Type: kind, Status: value, LastTransitionTime: metav1.Now()})
		} else if status.Conditions[at].Status != value {
			status.Conditions[at].Status, status.Conditions[at].LastTransitionTime = value, metav1.Now()
		}
	}
	if running.sent != nil && reflect.DeepEqual(running.sent.ContainerStatuses, status.ContainerStatuses) {
		return
	}
	pod := seen.DeepCopy()
	pod.Status = *status
	if _, err := p.client.CoreV1().Pods(pod.Namespace).UpdateStatus(ctx, pod, metav1.UpdateOptions{}); err != nil {
		klog.Errorf("%s: status: %v", pod.Name, err)
		return
	}
	running.sent = status
}

// registerCSI does what the CSI driver's node part does through the kubelet on a real machine, once its (simulated) pod is here and the
// cloud controller has told the node its server's id.
func (p *programs) registerCSI(ctx context.Context, items []corev1.Pod) {
	if p.csi {
		return
	}
	here := slices.ContainsFunc(items, func(pod corev1.Pod) bool {
		return !p.runs(&pod) && slices.ContainsFunc(pod.Spec.Containers, func(c corev1.Container) bool {
			return strings.HasPrefix(filepath.Base(c.Image), "cinder-csi-plugin:")
		})
	})
	if !here {
		return
	}
	node, err := p.client.CoreV1().Nodes().Get(ctx, p.n.node, metav1.GetOptions{})
	if err != nil || node.Spec.ProviderID == "" {
		return
	}
	count := int32(256)
	driver := storagev1.CSINodeDriver{Name: cinderName, NodeID: filepath.Base(node.Spec.ProviderID), Allocatable: &storagev1.VolumeNodeResources{Count: &count}}
	csi := &storagev1.CSINode{ObjectMeta: metav1.ObjectMeta{Name: p.n.node, OwnerReferences: []metav1.OwnerReference{{APIVersion: "v1", Kind: "Node", Name: p.n.node, UID: node.UID}}},
		Spec: storagev1.CSINodeSpec{Drivers: []storagev1.CSINodeDriver{driver}}}
	if _, err := p.client.StorageV1().CSINodes().Create(ctx, csi, metav1.CreateOptions{}); err != nil && !apierrors.IsAlreadyExists(err) {
		klog.Errorf("CSINode: %v", err)
		return
	}
	p.csi = true
}

// lastLine keeps the last line that was written.
type lastLine struct {
	mu   sync.Mutex
	tail []byte
}

func (l *lastLine) Write(b []byte) (int, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.tail = append(l.tail, b...)
	if over := len(l.tail) - 4096; over > 0 {
		l.tail = l.tail[over:]
	}
	return len(b), nil
}

func (l *lastLine) text() string {
	l.mu.Lock()
	defer l.mu.Unlock()
	lines := strings.Split(strings.TrimSpace(string(l.tail)), "\n")
	return lines[len(lines)-1]
}
