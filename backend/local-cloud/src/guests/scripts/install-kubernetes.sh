#!/bin/bash
# In a guest, what the package manager does on a real machine: install-kubernetes VERSION puts kubeadm, kubelet and kubectl in place.
set -e
for name in kubectl kubelet etcdctl etcdutl nodelet; do ln -sfn "/opt/kubernetes/$1/$name" "/opt/bin/$name"; done
for name in kwok helm; do ln -sfn "/opt/kubernetes/tools/$name" "/opt/bin/$name"; done
# kubeadm is wrapped: a guest has no cgroups of its own, which the pre-flight check SystemVerification wants.
cat >/opt/bin/kubeadm <<END
#!/bin/sh
case "\$1 \$2" in
"init phase" | "join phase" | "upgrade diff" | "upgrade plan" | "upgrade node phase") ;;
"init "* | "join "* | "upgrade "*) exec /opt/kubernetes/$1/kubeadm "\$@" --ignore-preflight-errors=SystemVerification ;;
esac
exec /opt/kubernetes/$1/kubeadm "\$@"
END
chmod 755 /opt/bin/kubeadm
