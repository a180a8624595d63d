// The acts that the audit log knows, in the order they are offered, and their words.
import { useTranslation } from "react-i18next";

export const ACTIONS: readonly string[] = [
  "session_create",
  "session_delete",
  "cluster_create",
  "cluster_update",
  "cluster_delete",
  "cluster_repair",
  "control_plane_resize",
  "node_pool_create",
  "node_pool_resize",
  "node_pool_delete",
  "node_pool_mark",
  "node_replace",
  "node_drain",
  "node_reboot",
  "node_cordon",
  "node_uncordon",
  "node_update",
  "node_bundle_twice",
  "credential_rotate",
  "encryption_key_rotate",
  "api_audit_change",
  "api_access_change",
  "operation_retry",
  "operation_cancel",
  "template_create",
  "template_update",
  "template_delete",
  "kubeconfig_issue",
  "kubeconfig_revoke",
  "kubeconfig_revoke_all",
  "certificate_issue",
  "token_create",
  "token_revoke",
  "member_give",
  "member_reset",
  "role_create",
  "role_update",
  "role_delete",
  "quota_request_create",
  "quota_request_withdraw",
  "device_allow",
  "device_deny",
  "kubernetes_write",
  "kubernetes_exec",
  "kubernetes_secret_read",
  "storage_class_create",
  "storage_class_default",
  "storage_class_delete",
  "cluster_pause",
  "cluster_resume",
  "cluster_write_off",
  "tenant_update",
  "quota_request_decide",
  "orphan_decide",
  "orphan_remove",
  "session_revoke",
  "person_cut_off",
  "operator_look",
  "request_refused",
];

/** What is nobody's but the operators': offered in the platform's log only. */
export const OPERATOR_ACTIONS: readonly string[] = ["sign_in", "queue_pause", "queue_resume", "announcement_create", "announcement_update", "announcement_end", "settings_test", "settings_update", "audit_accept"];

/** The word for an act; changes of clusters are called as in the list of operations. An act the console does not know has none. */
export function useActionWord() {
  const { t, i18n } = useTranslation();
  return (action: string): string | undefined => {
    if (i18n.exists(`operation.kind.${action}`)) return t(`operation.kind.${action}`);
    return i18n.exists(`audit.actionOf.${action}`) ? t(`audit.actionOf.${action}`) : undefined;
  };
}
