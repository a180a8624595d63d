// Asks before all that was given to a person here is taken back.
import { useTranslation } from "react-i18next";
import { membersKey, resetMember, rolesKey } from "../../api/members";
import type { Member } from "../../api/types";
import { ConfirmDialog } from "../../components/ConfirmDialog";
import { useRoleWord } from "../../components/words";

export default function ResetMemberDialog({ member, onClose }: { member: Member; onClose: () => void }) {
  const { t } = useTranslation();
  const word = useRoleWord();
  const { id, name, keystone } = member;
  return (
    <ConfirmDialog
      title={t("member.resetTitle", { name })}
      submit={t("member.reset")}
      act={() => resetMember(id)}
      done={() => t("member.wasReset", { name })}
      stale={[membersKey, rolesKey]}
      onClose={onClose}
    >
      <p>{keystone ? t("member.resetText", { name, role: word(keystone) }) : t("member.resetGone", { name })}</p>
      <p className="muted">{t("member.cutsOff", { name })}</p>
    </ConfirmDialog>
  );
}
