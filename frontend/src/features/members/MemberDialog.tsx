// What a person may do: a role in all of the project, and places besides.
import { useMutation, useQueryClient } from "@tanstack/react-query";
import { useId, useState, type FormEvent } from "react";
import { useTranslation } from "react-i18next";
import { giveMember, membersKey, rolesKey, useRoles } from "../../api/members";
import type { Member } from "../../api/types";
import { Choices } from "../../components/Choices";
import { Dialog } from "../../components/Dialog";
import { Fault, faultOf } from "../../components/Problem";
import { Status } from "../../components/Status";
import { useToast } from "../../components/Toast";
import { useRoleWord } from "../../components/words";
import { fieldId, focusField } from "../create/ErrorSummary";
import { useServerErrors } from "../create/usePlan";
import { draftErrors, draftOf, memberRequest, type MemberDraft } from "./memberDraft";
import { PlaceRows } from "./PlaceRows";
import { BUILT_IN, useRoleLine } from "./roles";

export default function MemberDialog({ member, onClose }: { member: Member; onClose: () => void }) {
  const { t } = useTranslation();
  const queryClient = useQueryClient();
  const notify = useToast();
  const formId = useId();
  const [draft, setDraft] = useState<MemberDraft>(() => draftOf(member));
  const [tried, setTried] = useState(false);
  const give = useMutation({
    mutationFn: () => giveMember(member.id, memberRequest(draft)),
    onSuccess: () => {
      notify(t("member.changed", { name: member.name }));
      onClose();
    },
    onSettled: () => {
      void queryClient.invalidateQueries({ queryKey: membersKey });
      void queryClient.invalidateQueries({ queryKey: rolesKey });
    },
  });
  const wrong = draftErrors(draft);
  const refusals = useServerErrors(undefined, give.error);
  const errors = { ...refusals };
  if (tried) for (const [path, key] of Object.entries(wrong)) errors[path] = t(key);
  const elsewhere = give.error && (Object.keys(refusals).length === 0 || "id" in refusals);
  const change = (next: MemberDraft) => {
    setDraft(next);
    give.reset();
  };
  const submit = (event: FormEvent) => {
    event.preventDefault();
    if (give.isPending) return;
    setTried(true);
    const [first] = Object.keys(wrong);
    if (first) focusField(`member.${first}`);
    else give.mutate();
  };
  return (
    <Dialog width={820} title={t("member.changeTitle", { name: member.name })} okText={t("member.save")} okButtonProps={{ loading: give.isPending, htmlType: "submit", form: formId }} cancelText={t("cluster.close")} onCancel={onClose}>
      <form id={formId} className="stack" onSubmit={submit} noValidate>
        <RoleChoices draft={draft} error={errors.role} onChange={(role) => change({ ...draft, role })} />
        <PlaceRows draft={draft} errors={errors} onChange={change} />
        {draft.role === "guest" && draft.places.length === 0 && <Status tone="warn">{t("member.nowhere", { name: member.name })}</Status>}
        <p className="muted">{t("member.cutsOff", { name: member.name })}</p>
        {elsewhere && <Fault alert fault={faultOf(give.error)} />}
      </form>
    </Dialog>
  );
}

function RoleChoices({ draft, error, onChange }: { draft: MemberDraft; error: string | undefined; onChange: (role: string) => void }) {
  const { t } = useTranslation();
  const roles = useRoles().data?.items ?? [];
  const word = useRoleWord();
  const line = useRoleLine();
  const options = [...BUILT_IN.map((role) => ({ value: role as string, label: word(role), text: t(`member.roleText.${role}`) })), ...roles.map((role) => ({ value: role.id, label: role.name, text: line(role) }))];
  return (
    <Choices id={fieldId("member.role")} legend={t("member.everywhere")} error={error}>
      {options.map(({ value, label, text }) => (
        <label key={value} className="check">
          <input type="radio" name="member-role" checked={draft.role === value} onChange={() => onChange(value)} />
          <span className="break">
            {label}
            <span className="field-hint">{text}</span>
          </span>
        </label>
      ))}
    </Choices>
  );
}
