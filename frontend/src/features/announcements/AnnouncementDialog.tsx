// Says something new to everybody, or says it otherwise.
import { useMutation, useQueryClient } from "@tanstack/react-query";
import { Input } from "antd";
import { useId, useState, type FormEvent } from "react";
import { useTranslation } from "react-i18next";
import { announce, announcementsKey } from "../../api/announcements";
import type { AdminAnnouncement, AnnouncementKind, Severity } from "../../api/types";
import { Dialog } from "../../components/Dialog";
import { Field } from "../../components/Field";
import { Fault, faultOf } from "../../components/Problem";
import { Select } from "../../components/Select";
import { useToast } from "../../components/Toast";
import { useRefusals } from "../access/useRefusals";
import { fromLocal, toLocal } from "../audit/times";
import { fieldId, focusField } from "../create/ErrorSummary";

const KINDS: AnnouncementKind[] = ["notice", "maintenance"];
const SEVERITIES: Severity[] = ["info", "warning", "critical"];
const FIELDS = ["zh", "en", "from", "until"] as const;

interface Draft {
  kind: AnnouncementKind;
  severity: Severity;
  zh: string;
  en: string;
  /** In local time, as the browser's own control has it; empty: now, or without end. */
  from: string;
  until: string;
}

function draftOf(announcement: AdminAnnouncement | undefined): Draft {
  const { kind = "notice", severity = "info", zh = "", en = "", from, until } = announcement ?? {};
  return { kind, severity, zh, en, from: toLocal(from), until: toLocal(until ?? undefined) };
}

export default function AnnouncementDialog({ announcement, onClose }: { announcement?: AdminAnnouncement; onClose: () => void }) {
  const { t } = useTranslation();
  const queryClient = useQueryClient();
  const notify = useToast();
  const formId = useId();
  const [draft, setDraft] = useState(() => draftOf(announcement));
  const [tried, setTried] = useState(false);
  const say = useMutation({
    mutationFn: () => announce(announcement?.id, { ...draft, zh: draft.zh.trim(), en: draft.en.trim(), from: fromLocal(draft.from), until: fromLocal(draft.until) }),
    onSuccess: () => {
      notify(t("admin.announcements.said"));
      onClose();
    },
    onSettled: () => void queryClient.invalidateQueries({ queryKey: announcementsKey }),
  });
  const refusals = useRefusals(say.error);
  const missing = FIELDS.filter((field) => (field === "until" ? draft.kind === "maintenance" : field !== "from") && draft[field].trim() === "");
  const errorOf = (field: (typeof FIELDS)[number]) => refusals[field] ?? (tried && missing.includes(field) ? t("common.required") : undefined);
  const change = (next: Partial<Draft>) => {
    setDraft({ ...draft, ...next });
    say.reset();
  };
  const submit = (event: FormEvent) => {
    event.preventDefault();
    if (say.isPending) return;
    setTried(true);
    if (missing[0]) focusField(`announcement.${missing[0]}`);
    else say.mutate();
  };
  return (
    <Dialog
      title={t(announcement ? "admin.announcements.change" : "admin.announcements.new")}
      okText={t("admin.announcements.say")}
      okButtonProps={{ loading: say.isPending, htmlType: "submit", form: formId }}
      cancelText={t("cluster.close")}
      onCancel={onClose}
    >
      <form id={formId} className="stack" onSubmit={submit} noValidate>
        <Field label={t("admin.announcements.kindLabel")} hint={t(`admin.announcements.hint.${draft.kind}`)}>
          {(field) => <Select {...field} value={draft.kind} onChange={(kind) => change({ kind: kind as AnnouncementKind })} options={KINDS.map((value) => ({ value, label: t(`shell.announcementKind.${value}`) }))} />}
        </Field>
        <Field label={t("admin.announcements.severity")} hint={draft.severity === "critical" ? t("admin.announcements.stays") : undefined}>
          {(field) => <Select {...field} value={draft.severity} onChange={(severity) => change({ severity: severity as Severity })} options={SEVERITIES.map((value) => ({ value, label: t(`admin.announcements.severityOf.${value}`) }))} />}
        </Field>
        {(["zh", "en"] as const).map((key) => (
          <Field key={key} label={t(`admin.announcements.text.${key}`)} error={errorOf(key)} id={fieldId(`announcement.${key}`)}>
            {(field) => <Input.TextArea {...field} rows={2} maxLength={500} lang={key === "zh" ? "zh-CN" : "en"} value={draft[key]} onChange={(event) => change({ [key]: event.target.value })} />}
          </Field>
        ))}
        {(["from", "until"] as const).map((key) => (
          <Field key={key} label={t(`admin.announcements.${key}`)} hint={key === "from" || draft.kind === "notice" ? t(`admin.announcements.${key}Hint`) : undefined} error={errorOf(key)} id={fieldId(`announcement.${key}`)}>
            {(field) => <Input {...field} type="datetime-local" value={draft[key]} onChange={(event) => change({ [key]: event.target.value })} />}
          </Field>
        ))}
        {say.error && !FIELDS.some((field) => refusals[field]) && <Fault alert fault={faultOf(say.error)} />}
      </form>
    </Dialog>
  );
}
