// Composing a role of the project's own, or changing one.
import { useMutation, useQueryClient } from "@tanstack/react-query";
import { Input } from "antd";
import { useId, useState, type FormEvent } from "react";
import { useTranslation } from "react-i18next";
import { isApiError } from "../../api/client";
import { createRole, rolesKey, updateRole } from "../../api/members";
import type { CustomRole, Permission } from "../../api/types";
import { Choices } from "../../components/Choices";
import { Dialog } from "../../components/Dialog";
import { Field } from "../../components/Field";
import { Fault, faultOf, useErrorText } from "../../components/Problem";
import { useToast } from "../../components/Toast";
import { PermissionPicker } from "../access/PermissionPicker";
import { OF_ROLES } from "../access/permissions";
import { useRefusals } from "../access/useRefusals";
import { fieldId, focusField } from "../create/ErrorSummary";

export default function RoleDialog({ role, onClose }: { role?: CustomRole; onClose: () => void }) {
  const { t } = useTranslation();
  const queryClient = useQueryClient();
  const notify = useToast();
  const errorText = useErrorText();
  const formId = useId();
  const [name, setName] = useState(role?.name ?? "");
  const [chosen, setChosen] = useState<ReadonlySet<Permission>>(() => new Set(role?.permissions));
  const [tried, setTried] = useState(false);
  const save = useMutation({
    mutationFn: () => {
      const body = { name: name.trim(), permissions: [...chosen] };
      return role ? updateRole(role.id, body) : createRole(body);
    },
    onSuccess: () => {
      notify(t("member.role.saved", { name: name.trim() }));
      onClose();
    },
    onSettled: () => void queryClient.invalidateQueries({ queryKey: rolesKey }),
  });
  const errors = { ...useRefusals(save.error) };
  if (isApiError(save.error) && save.error.code === "KCS-NAME-004") errors.name = errorText(save.error);
  const said = Object.keys(errors).length > 0;
  const unnamed = name.trim() === "";
  if (tried && unnamed) errors.name = t("common.required");
  const submit = (event: FormEvent) => {
    event.preventDefault();
    if (save.isPending) return;
    setTried(true);
    if (unnamed) focusField("role.name");
    else save.mutate();
  };
  return (
    <Dialog
      width={680}
      title={role ? t("member.role.editTitle", { name: role.name }) : t("member.role.create")}
      okText={t(role ? "member.save" : "member.role.create")}
      okButtonProps={{ loading: save.isPending, htmlType: "submit", form: formId }}
      cancelText={t("cluster.close")}
      onCancel={onClose}
    >
      <form id={formId} className="stack" onSubmit={submit} noValidate>
        <Field label={t("member.role.name")} hint={t("member.role.nameHint")} error={errors.name} id={fieldId("role.name")}>
          {(field) => (
            <Input
              {...field}
              autoComplete="off"
              maxLength={60}
              value={name}
              onChange={(event) => {
                setName(event.target.value);
                save.reset();
              }}
            />
          )}
        </Field>
        <Choices id={fieldId("role.permissions")} legend={t("token.col.may")} error={errors.permissions}>
          <p className="field-hint">{t("member.role.besides")}</p>
          <PermissionPicker
            areas={OF_ROLES}
            chosen={chosen}
            onChange={(next) => {
              setChosen(next);
              save.reset();
            }}
          />
        </Choices>
        {role && role.people > 0 && <p className="muted">{t("member.role.cutsOff", { count: role.people })}</p>}
        {save.error && !said && <Fault alert fault={faultOf(save.error)} />}
      </form>
    </Dialog>
  );
}
