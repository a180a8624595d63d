// Making a storage class of one of the cloud's volume types.
import { useMutation, useQueryClient } from "@tanstack/react-query";
import { Input } from "antd";
import { useId, useState, type FormEvent } from "react";
import { useTranslation } from "react-i18next";
import { useVolumeTypes } from "../../api/catalogue";
import { classesKey, createStorageClass } from "../../api/storage";
import type { Cluster, StorageBinding, StorageClassRequest, StorageReclaim } from "../../api/types";
import { Dialog } from "../../components/Dialog";
import { Field } from "../../components/Field";
import { Fault, faultOf } from "../../components/Problem";
import { Select } from "../../components/Select";
import { useToast } from "../../components/Toast";
import { useRefusals } from "../access/useRefusals";
import { useStorageWord } from "./StorageClasses";

const RECLAIM: StorageReclaim[] = ["Delete", "Retain"];
const BINDING: StorageBinding[] = ["WaitForFirstConsumer", "Immediate"];

export default function StorageClassDialog({ cluster, onClose }: { cluster: Cluster; onClose: () => void }) {
  const { t } = useTranslation();
  const word = useStorageWord();
  const queryClient = useQueryClient();
  const notify = useToast();
  const formId = useId();
  const types = useVolumeTypes().data?.items;
  const [draft, setDraft] = useState<StorageClassRequest>({ name: "", volume_type: "", reclaim_policy: "Delete", binding: "WaitForFirstConsumer", expandable: true });
  const [tried, setTried] = useState(false);
  // Until one is chosen it is the cloud's default.
  const wish = { ...draft, name: draft.name.trim(), volume_type: draft.volume_type || (types?.find((type) => type.default) ?? types?.[0])?.name || "" };
  const create = useMutation({
    mutationFn: () => createStorageClass(cluster.id, wish),
    onSuccess: () => {
      notify(t("storage.created", { name: wish.name }));
      onClose();
    },
    onSettled: () => void queryClient.invalidateQueries({ queryKey: classesKey(cluster.id) }),
  });
  const errors = useRefusals(create.error);
  const said = Object.keys(errors).length > 0;
  const change = (part: Partial<StorageClassRequest>) => {
    setDraft({ ...draft, ...part });
    create.reset();
  };
  const submit = (event: FormEvent) => {
    event.preventDefault();
    setTried(true);
    if (!create.isPending && wish.name && wish.volume_type) create.mutate();
  };
  const required = (value: string) => (tried && !value ? t("common.required") : undefined);
  return (
    <Dialog
      width={560}
      title={t("storage.create")}
      okText={t("storage.create")}
      cancelText={t("cluster.close")}
      okButtonProps={{ loading: create.isPending, htmlType: "submit", form: formId }}
      onCancel={onClose}
    >
      <form id={formId} className="stack" onSubmit={submit} noValidate>
        <p>{t("storage.createText")}</p>
        <Field label={t("storage.name")} fixed hint={t("storage.nameHint")} error={errors.name ?? required(wish.name)}>
          {(field) => <Input {...field} spellCheck={false} autoComplete="off" maxLength={253} value={draft.name} onChange={(event) => change({ name: event.target.value })} />}
        </Field>
        <Field label={t("create.volumeType")} fixed error={errors.volume_type ?? required(wish.volume_type)}>
          {(field) => <Select {...field} value={wish.volume_type} onChange={(type) => change({ volume_type: type })} options={(types ?? []).map((type) => ({ value: type.name, label: type.name }))} />}
        </Field>
        <Field label={t("storage.reclaim")} fixed error={errors.reclaim_policy}>
          {(field) => <Select {...field} value={draft.reclaim_policy ?? "Delete"} onChange={(policy) => change({ reclaim_policy: policy as StorageReclaim })} options={RECLAIM.map((value) => ({ value, label: word("reclaimOf", value) }))} />}
        </Field>
        <Field label={t("storage.binding")} fixed hint={t("storage.bindingHint")} error={errors.binding}>
          {(field) => <Select {...field} value={draft.binding ?? "WaitForFirstConsumer"} onChange={(binding) => change({ binding: binding as StorageBinding })} options={BINDING.map((value) => ({ value, label: word("bindingOf", value) }))} />}
        </Field>
        <label className="check">
          <input type="checkbox" checked={draft.expandable ?? true} onChange={(event) => change({ expandable: event.target.checked })} />
          <span>{t("storage.expandable")}</span>
        </label>
        {create.error && !said && <Fault alert fault={faultOf(create.error)} />}
      </form>
    </Dialog>
  );
}
