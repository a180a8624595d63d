// A kubeconfig's file: saving, copying and reading it, and a first call with it.
import { CopyOutlined, DownloadOutlined } from "@ant-design/icons";
import { Button } from "antd";
import type { Ref } from "react";
import { useTranslation } from "react-i18next";
import { useGuest } from "../../api/permissions";
import { saveFile, useCopy } from "../../components/Copy";
import { KubeconfigCommand } from "./KubeconfigCommand";

interface Props {
  /** Name of the cluster, or what else the file is called after. */
  cluster: string;
  kubeconfig: string;
  /** What kubectl is asked first; absent: something that whoever sees the cluster may ask. */
  call?: string;
  /** The button to begin with. */
  first?: Ref<HTMLButtonElement>;
}

export function KubeconfigFile({ cluster, kubeconfig, call, first }: Props) {
  const { t } = useTranslation();
  const { copy } = useCopy();
  // Nodes are around the namespaces, and a guest may have but one of these.
  const anybodys = useGuest() ? "version" : "get nodes";
  const file = `kcs-${cluster}.yaml`;
  return (
    <>
      <div className="row">
        <Button type="primary" ref={first} icon={<DownloadOutlined aria-hidden="true" />} onClick={() => saveFile(file, kubeconfig, "application/yaml")}>
          {t("kubeconfig.download")}
        </Button>
        <Button icon={<CopyOutlined aria-hidden="true" />} onClick={() => copy(kubeconfig)}>
          {t("kubeconfig.copy")}
        </Button>
      </div>
      <KubeconfigCommand label={t("kubeconfig.command")} command={`KUBECONFIG=./${file} kubectl ${call ?? anybodys}`} />
      <details>
        <summary>{t("kubeconfig.show")}</summary>
        <pre className="console" tabIndex={0} data-testid="kubeconfig">
          {kubeconfig}
        </pre>
      </details>
    </>
  );
}
