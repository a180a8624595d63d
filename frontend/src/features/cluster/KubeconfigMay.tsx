// What a kubeconfig, or a certificate past the gate, may do of what its owner may.
import { useTranslation } from "react-i18next";
import { useRoles } from "../../api/members";
import { Choices } from "../../components/Choices";
import { Field } from "../../components/Field";
import { Select } from "../../components/Select";
import { fieldId } from "../create/ErrorSummary";
import { mayOf, MAYS, OF_CERTIFICATES, type KubeconfigDraft } from "./kubeconfigDraft";

interface Props {
  draft: KubeconfigDraft;
  errors: Record<string, string>;
  onChange: (part: Partial<KubeconfigDraft>) => void;
}

const id = (field: string) => fieldId(`kubeconfig.${field}`);

export function KubeconfigMay({ draft, errors, onChange, direct }: Props & { direct: boolean }) {
  const { t } = useTranslation();
  const chosen = mayOf(draft, direct);
  return (
    <>
      <Choices id={id("read_only")} legend={t("token.may")} error={errors.read_only ?? errors.permissions}>
        {(direct ? OF_CERTIFICATES : MAYS).map((may) => (
          <label key={may} className="check">
            <input type="radio" name="kubeconfig-may" checked={chosen === may} onChange={() => onChange({ may })} />
            <span>
              {t(`kubeconfig.mayOf.${may}`)}
              <span className="field-hint">{t(`kubeconfig.mayHint.${may}`)}</span>
            </span>
          </label>
        ))}
      </Choices>
      {chosen === "role" && <RoleChoice draft={draft} errors={errors} onChange={onChange} />}
    </>
  );
}

function RoleChoice({ draft, errors, onChange }: Props) {
  const { t } = useTranslation();
  const roles = useRoles().data?.items;
  return (
    <Field label={t("kubeconfig.role")} hint={roles?.length === 0 ? t("member.role.none") : undefined} error={errors.role} id={id("role")}>
      {(field) => (
        <Select
          {...field}
          placeholder={t("kubeconfig.invalid.role")}
          value={draft.role}
          options={(roles ?? []).map((role) => ({ value: role.id, label: role.name }))}
          onChange={(role) => onChange({ role })}
        />
      )}
    </Field>
  );
}
