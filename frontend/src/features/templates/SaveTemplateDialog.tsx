// Keeping a cluster's specification, or what is in the create form, as a template of the project's own.
import { useMutation, useQueryClient } from "@tanstack/react-query";
import { useState, type FormEvent } from "react";
import { useTranslation } from "react-i18next";
import { createTemplate } from "../../api/templates";
import type { ClusterSpecRequest } from "../../api/types";
import { Dialog } from "../../components/Dialog";
import { Fault, faultOf } from "../../components/Problem";
import { useToast } from "../../components/Toast";
import { focusField } from "../create/ErrorSummary";
import { useServerErrors } from "../create/usePlan";
import { NameFields, type TemplateText } from "./NameFields";

const PREFIX = "template.";

interface Props {
  /** What the template is called at first. */
  name: string;
  spec: ClusterSpecRequest;
  onClose: () => void;
}

export default function SaveTemplateDialog({ name, spec, onClose }: Props) {
  const { t } = useTranslation();
  const queryClient = useQueryClient();
  const notify = useToast();
  const [text, setText] = useState<TemplateText>({ name, description: "" });
  const [keepVersion, setKeepVersion] = useState(false);
  const [tried, setTried] = useState(false);
  const save = useMutation({
    mutationFn: () => createTemplate({ name: text.name.trim(), description: text.description.trim(), spec: keepVersion ? spec : { ...spec, version: undefined } }),
    onSuccess: () => {
      void queryClient.invalidateQueries({ queryKey: ["templates"] });
      notify(t("template.saved", { name: text.name.trim() }));
      onClose();
    },
  });
  const nameless = text.name.trim() === "";
  const errors: Record<string, string> = { ...useServerErrors(undefined, save.error), ...(tried && nameless && { name: t("common.required") }) };
  const submit = (event?: FormEvent) => {
    event?.preventDefault();
    if (save.isPending) return;
    setTried(true);
    if (nameless) focusField(`${PREFIX}name`);
    else save.mutate();
  };
  return (
    <Dialog width={560} title={t("template.saveTitle")} okText={t("template.save")} okButtonProps={{ loading: save.isPending }} cancelText={t("cluster.close")} onOk={() => submit()} onCancel={onClose}>
      <form className="stack" onSubmit={submit}>
        <p>{t("template.saveText")}</p>
        <NameFields
          text={text}
          errors={errors}
          prefix={PREFIX}
          onChange={(next) => {
            setText(next);
            save.reset();
          }}
        />
        {spec.version && (
          <fieldset className="choices">
            <legend className="field-label">{t("create.version")}</legend>
            {[false, true].map((keep) => (
              <label key={String(keep)} className="check">
                <input type="radio" name="keep-version" checked={keepVersion === keep} onChange={() => setKeepVersion(keep)} />
                <span>{keep ? t("template.always", { version: spec.version }) : t("template.newest")}</span>
              </label>
            ))}
          </fieldset>
        )}
        {save.error && !errors.name && !errors.description && <Fault alert fault={faultOf(save.error)} />}
      </form>
    </Dialog>
  );
}
