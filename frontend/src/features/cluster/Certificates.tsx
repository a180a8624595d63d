// Certificates that were issued for calls past the gate: who has one, until when, and by what the cluster's own audit log names it.
import { SafetyCertificateOutlined } from "@ant-design/icons";
import { useTranslation } from "react-i18next";
import { useCertificates } from "../../api/clusters";
import type { Certificate } from "../../api/types";
import { DataTable, type Column } from "../../components/DataTable";
import { Card, Empty } from "../../components/Page";
import { Status } from "../../components/Status";
import { Ago } from "../../components/Time";
import { validity } from "../access/validity";

/** Shown where one may be had, and where there are any still. */
export function Certificates({ cluster, open }: { cluster: string; open: boolean }) {
  const { t } = useTranslation();
  const certificates = useCertificates(cluster);
  const columns = useColumns();
  if (!open && !certificates.data?.items.length) return null;
  return (
    <Card flush title={t("kubeconfig.certificates")}>
      <DataTable
        name={t("kubeconfig.certificates")}
        columns={columns}
        rows={certificates.data?.items}
        rowKey={(certificate) => certificate.id}
        error={certificates.error}
        onRetry={() => void certificates.refetch()}
        empty={<Empty icon={<SafetyCertificateOutlined />} title={t("kubeconfig.noCertificates")} text={t("kubeconfig.directText")} />}
      />
    </Card>
  );
}

function useColumns(): Column<Certificate>[] {
  const { t } = useTranslation();
  return [
    { key: "name", title: t("kubeconfig.col.name"), main: true, render: (certificate) => certificate.name || <code className="id">{certificate.id}</code> },
    {
      key: "state",
      title: t("clusters.col.status"),
      render: (certificate) => {
        const state = validity(certificate);
        return <Status tone={state === "valid" ? "ok" : "off"}>{t(`token.state.${state}`)}</Status>;
      },
    },
    {
      key: "by",
      title: t("kubeconfig.col.by"),
      render: (certificate) => (
        <>
          {certificate.created_by}
          {certificate.mine && <span className="muted"> {t("kubeconfig.mine")}</span>}
        </>
      ),
    },
    { key: "group", title: t("kubeconfig.col.group"), render: (certificate) => <code>{certificate.group}</code> },
    { key: "created", title: t("kubeconfig.col.created"), render: (certificate) => <Ago time={certificate.created_at} /> },
    { key: "expires", title: t("kubeconfig.col.expires"), render: (certificate) => <Ago time={certificate.expires_at} /> },
    { key: "fingerprint", title: t("kubeconfig.col.fingerprint"), render: (certificate) => <code className="id">{certificate.fingerprint}</code> },
  ];
}
