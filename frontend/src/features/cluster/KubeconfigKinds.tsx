// How kubectl is known: by a token in the file, by whom `kcs` has signed in, or past the gate by a certificate.
import { useTranslation } from "react-i18next";
import { Choices } from "../../components/Choices";
import { fieldId } from "../create/ErrorSummary";

export type KubeconfigKind = "token" | "exec" | "direct";

export function KubeconfigKinds({ kinds, kind, onChange }: { kinds: KubeconfigKind[]; kind: KubeconfigKind; onChange: (kind: KubeconfigKind) => void }) {
  const { t } = useTranslation();
  return (
    <Choices id={fieldId("kubeconfig.kind")} legend={t("kubeconfig.kind")}>
      {kinds.map((one) => (
        <label key={one} className="check">
          <input type="radio" name="kubeconfig-kind" checked={kind === one} onChange={() => onChange(one)} />
          <span>
            {t(`kubeconfig.kindOf.${one}`)}
            <span className="field-hint">{t(`kubeconfig.kindHint.${one}`)}</span>
          </span>
        </label>
      ))}
    </Choices>
  );
}
