// What a delete removed, kept and left, object by object, to look at and to keep.
import { DownloadOutlined } from "@ant-design/icons";
import { Button } from "antd";
import { useTranslation } from "react-i18next";
import { useReceipt } from "../../api/operations";
import type { Operation, Receipt } from "../../api/types";
import { saveFile } from "../../components/Copy";
import { Card, Loading } from "../../components/Page";
import { LoadProblem } from "../../components/Problem";
import { Status, type Tone } from "../../components/Status";
import { useFormat } from "../../i18n/format";

export function ReceiptCard({ operation }: { operation: Operation }) {
  const { t } = useTranslation();
  const { absolute } = useFormat();
  const receipt = useReceipt(operation.id, true);
  const data = receipt.data;
  return (
    <Card
      title={t("operation.receipt.title")}
      extra={
        data && (
          <>
            <Button
              size="small"
              icon={<DownloadOutlined aria-hidden="true" />}
              onClick={() => saveFile(`receipt-${operation.cluster.name}.json`, JSON.stringify({ cluster: operation.cluster, operation: operation.id, ...data }, null, 2), "application/json")}
            >
              {t("operation.receipt.download")}
            </Button>
            <Button size="small" icon={<DownloadOutlined aria-hidden="true" />} href={`/api/v1/operations/${operation.id}/receipt?format=text`} download={`receipt-${operation.cluster.name}.txt`}>
              {t("operation.receipt.downloadText")}
            </Button>
          </>
        )
      }
    >
      {receipt.error && !data ? (
        <LoadProblem error={receipt.error} onRetry={() => void receipt.refetch()} />
      ) : !data ? (
        <Loading />
      ) : (
        <div className="stack">
          <p>
            <Status tone={data.left.length === 0 ? "ok" : "bad"}>{data.left.length === 0 ? t("operation.receipt.clean") : t("operation.receipt.notClean", { count: data.left.length })}</Status>
            {data.scanned_at && <span className="small muted"> {t("operation.receipt.scanned", { time: absolute(data.scanned_at) })}</span>}
          </p>
          <ReceiptGroups receipt={data} />
        </div>
      )}
    </Card>
  );
}

/** All that it names. Of a cluster that was written off nobody knows what is left. */
export function ReceiptGroups({ receipt }: { receipt: Receipt }) {
  return (
    <div className="receipt-groups">
      <Lines name="removed" tone="off" lines={receipt.removed} />
      <Lines name="kept" tone="ok" lines={receipt.kept} />
      {receipt.unseen ? <Lines name="unseen" tone="unknown" lines={receipt.unseen} /> : <Lines name="left" tone="bad" lines={receipt.left} />}
    </div>
  );
}

function Lines({ name, tone, lines }: { name: "removed" | "kept" | "left" | "unseen"; tone: Tone; lines: Receipt["removed"] }) {
  const { t } = useTranslation();
  return (
    <section className={`receipt-group receipt-${name}`} data-count={lines.length}>
      <h3>
        {t(`operation.receipt.${name}`)} <span className="numeric">{lines.length}</span>
      </h3>
      {lines.length === 0 ? (
        <p className="small muted">{t("operation.receipt.nothing")}</p>
      ) : (
        <ul className="step-objects">
          {lines.map((line) => (
            <li key={`${line.kind}/${line.name}/${line.cloud_id ?? ""}`}>
              <span className="step-object-kind">{t(`operation.kindOf.${line.kind}`)}</span>
              <span className="break">
                {line.name}
                {line.cloud_id && <code className="id"> {line.cloud_id}</code>}
              </span>
              <Status tone={tone}>{t(`operation.receipt.${name}`)}</Status>
            </li>
          ))}
        </ul>
      )}
    </section>
  );
}
