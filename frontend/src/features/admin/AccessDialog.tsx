// What a person holds, one by one: seen by operators, who can end any of it.
import { KeyOutlined } from "@ant-design/icons";
import { Button } from "antd";
import { useState } from "react";
import { useTranslation } from "react-i18next";
import { endAccess, useAccess } from "../../api/people";
import type { Held, Holder } from "../../api/types";
import { ConfirmDialog } from "../../components/ConfirmDialog";
import { DataTable, type Column } from "../../components/DataTable";
import { Dialog } from "../../components/Dialog";
import { Empty } from "../../components/Page";
import { Ago } from "../../components/Time";

export default function AccessDialog({ person, onClose }: { person: Holder; onClose: () => void }) {
  const { t } = useTranslation();
  const access = useAccess(person.id);
  const [ending, setEnding] = useState<Held | null>(null);
  const columns = useColumns(setEnding);
  if (ending) return <EndDialog person={person} held={ending} onClose={() => setEnding(null)} />;
  const title = t("admin.people.accessTitle", { name: person.name });
  return (
    <Dialog width={920} title={title} footer={null} onCancel={onClose}>
      <DataTable
        name={title}
        columns={columns}
        rows={access.data?.items}
        rowKey={(held) => held.id}
        error={access.error}
        onRetry={() => void access.refetch()}
        empty={<Empty icon={<KeyOutlined />} title={t("admin.people.accessNone")} text={t("admin.people.accessNoneText")} />}
      />
    </Dialog>
  );
}

function EndDialog({ person, held, onClose }: { person: Holder; held: Held; onClose: () => void }) {
  const { t } = useTranslation();
  const what = useWhat();
  return (
    <ConfirmDialog
      title={t("admin.people.endTitle", { name: person.name })}
      submit={t("admin.people.end")}
      act={() => endAccess(person.id, held.id)}
      done={() => t("admin.people.ended", { what: what(held) })}
      stale={[["people"]]}
      onClose={onClose}
    >
      <p className="break">
        <strong>{what(held)}</strong>
      </p>
      <p>{t("admin.people.endText", { project: held.project.name })}</p>
      {held.kind === "session" && <p className="muted">{t("admin.people.again")}</p>}
    </ConfirmDialog>
  );
}

/** A thing that somebody holds, in words. */
function useWhat() {
  const { t } = useTranslation();
  return ({ kind, name }: Held) => (name ? t("admin.people.named", { kind: t(`admin.people.kindOf.${kind}`), name }) : t(`admin.people.kindOf.${kind}`));
}

function useColumns(onEnd: (held: Held) => void): Column<Held>[] {
  const { t } = useTranslation();
  const what = useWhat();
  return [
    {
      key: "what",
      title: t("admin.people.col.what"),
      main: true,
      width: "38%",
      render: (held) => (
        <div className="name-cell">
          <span className="break">{what(held)}</span>
          <span className="small muted break">{held.cluster ? `${held.project.name} / ${held.cluster.name}` : held.project.name}</span>
        </div>
      ),
    },
    { key: "created", title: t("kubeconfig.col.created"), render: (held) => <Ago time={held.created_at} /> },
    { key: "expires", title: t("kubeconfig.col.expires"), render: (held) => <Ago time={held.expires_at} /> },
    {
      key: "used",
      title: t("kubeconfig.col.used"),
      render: (held) =>
        held.last_used_at ? (
          <div className="name-cell">
            <Ago time={held.last_used_at} />
            {held.last_used_from && <code className="small muted break">{held.last_used_from}</code>}
          </div>
        ) : (
          <span className="muted">{t("kubeconfig.never")}</span>
        ),
    },
    {
      key: "act",
      title: t("cluster.actions"),
      render: (held) => (
        <Button size="small" danger aria-label={t("admin.people.endOf", { what: what(held) })} onClick={() => onEnd(held)}>
          {t("admin.people.end")}
        </Button>
      ),
    },
  ];
}
