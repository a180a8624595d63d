// Asks before a role is deleted; one that somebody has stays.
import { useTranslation } from "react-i18next";
import { deleteRole, rolesKey } from "../../api/members";
import type { CustomRole } from "../../api/types";
import { ConfirmDialog } from "../../components/ConfirmDialog";
import { Fault } from "../../components/Problem";

export default function DeleteRoleDialog({ role, onClose }: { role: CustomRole; onClose: () => void }) {
  const { t } = useTranslation();
  const had = role.people > 0;
  return (
    <ConfirmDialog
      title={t("member.role.deleteTitle", { name: role.name })}
      submit={t("cluster.delete")}
      disabled={had}
      act={() => deleteRole(role.id)}
      done={() => t("member.role.deleted", { name: role.name })}
      stale={[rolesKey]}
      onClose={onClose}
    >
      <p>{had ? t("member.role.had", { count: role.people }) : t("member.role.deleteText")}</p>
      {had && <Fault tone="warn" fault={{ code: "KCS-CONF-006" }} />}
    </ConfirmDialog>
  );
}
