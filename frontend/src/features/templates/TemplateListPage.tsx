// Templates that clusters can be made of: the operator's, which everybody sees, and the project's own.
import { FileTextOutlined, PlusOutlined } from "@ant-design/icons";
import { Link, useNavigate, useSearch } from "@tanstack/react-router";
import { lazy, Suspense, useState } from "react";
import { useTranslation } from "react-i18next";
import { useMay } from "../../api/permissions";
import { useTemplates } from "../../api/templates";
import type { Template } from "../../api/types";
import { useSettings } from "../../app/settings";
import { DataTable, type Column } from "../../components/DataTable";
import { MenuButton, type MenuItem } from "../../components/MenuButton";
import { Card, Empty, Page } from "../../components/Page";
import { NothingFound } from "../clusters/ClusterList";
import { Chips } from "../clusters/ListFilters";
import { templateWords } from "./words";

const DeleteTemplateDialog = lazy(() => import("./DeleteTemplateDialog"));

export function TemplateListPage() {
  const { t } = useTranslation();
  const { of } = useSearch({ from: "/app/templates" });
  const navigate = useNavigate({ from: "/templates" });
  const mayCreate = useMay("template_create");
  const templates = useTemplates();
  const [deleting, setDeleting] = useState<Template | null>(null);
  const rows = templates.data?.items.filter((template) => of === undefined || (of === "own") === Boolean(template.own));
  return (
    <Page title={t("template.title")} description={t("template.description")} actions={mayCreate && <NewLink />}>
      <Card flush>
        <div className="toolbar">
          <Chips
            name={t("template.filter")}
            all={t("common.all")}
            options={(["public", "own"] as const).map((value) => ({ value, label: t(`template.of.${value}`) }))}
            value={of}
            onChange={(next) => void navigate({ search: { of: next }, replace: true })}
          />
        </div>
        <DataTable
          name={t("template.title")}
          columns={useColumns(setDeleting)}
          rows={rows}
          rowKey={(template) => template.id}
          error={templates.error}
          onRetry={() => void templates.refetch()}
          empty={
            of === "own" ? (
              <Empty icon={<FileTextOutlined />} title={t("template.noneOwn")} text={t(mayCreate ? "template.noneOwnText" : "template.noneReader")} action={mayCreate && <NewLink />} />
            ) : of ? (
              <NothingFound onClear={() => void navigate({ search: {} })} />
            ) : (
              <Empty icon={<FileTextOutlined />} title={t("template.none")} text={t(mayCreate ? "template.noneOwnText" : "template.noneReader")} action={mayCreate && <NewLink />} />
            )
          }
        />
      </Card>
      <Suspense fallback={null}>{deleting && <DeleteTemplateDialog template={deleting} onClose={() => setDeleting(null)} />}</Suspense>
    </Page>
  );
}

function NewLink() {
  const { t } = useTranslation();
  return (
    <Link to="/templates/new" className="link-button primary">
      <PlusOutlined aria-hidden="true" />
      {t("template.create")}
    </Link>
  );
}

function useColumns(onDelete: (template: Template) => void): Column<Template>[] {
  const { t } = useTranslation();
  const { language } = useSettings();
  const may = useTemplateRights();
  const byDefault = <span className="muted">{t("template.byDefault")}</span>;
  const columns: Column<Template>[] = [
    {
      key: "name",
      title: t("template.col.name"),
      main: true,
      width: "34%",
      render: (template) => {
        const { name, description } = templateWords(template, language);
        return (
          <div className="name-cell">
            <span className="break">{name}</span>
            {description && <span className="small muted break">{description}</span>}
          </div>
        );
      },
    },
    { key: "of", title: t("template.col.of"), render: (template) => <span className="tag">{t(`template.of.${template.own ? "own" : "public"}`)}</span> },
    { key: "version", title: t("clusters.col.version"), render: ({ spec }) => (spec.version ? <span className="numeric">{spec.version}</span> : <span className="muted">{t("template.newest")}</span>) },
    {
      key: "masters",
      title: t("clusters.col.masters"),
      render: ({ spec }) => (spec.control_plane?.count ? <span className="nowrap">{[spec.control_plane.count, spec.control_plane.flavor].filter(Boolean).join(" × ")}</span> : byDefault),
    },
    {
      key: "pools",
      title: t("create.section.pools"),
      render: ({ spec }) =>
        spec.node_pools ? (
          <ul>
            {spec.node_pools.map((pool) => (
              <li key={pool.name} className="nowrap">
                {pool.name} <span className="muted">{`${pool.count} × ${pool.flavor}`}</span>
              </li>
            ))}
          </ul>
        ) : (
          byDefault
        ),
    },
  ];
  if (may.use || may.copy || may.change) columns.push({ key: "act", title: t("cluster.actions"), render: (template) => <TemplateActions template={template} onDelete={onDelete} /> });
  return columns;
}

/** What the person may do with templates. */
function useTemplateRights() {
  return { use: useMay("cluster_create"), copy: useMay("template_create"), change: useMay("template_change") };
}

function TemplateActions({ template, onDelete }: { template: Template; onDelete: (template: Template) => void }) {
  const { t } = useTranslation();
  const { language } = useSettings();
  const navigate = useNavigate();
  const may = useTemplateRights();
  const { id } = template;
  const { name } = templateWords(template, language);
  const items: MenuItem[] = [];
  if (may.use) items.push({ key: "use", label: t("clusters.create"), onSelect: () => void navigate({ to: "/clusters/new", search: { template: id } }) });
  if (may.copy) items.push({ key: "copy", label: t("template.copy"), onSelect: () => void navigate({ to: "/templates/new", search: { from: id } }) });
  if (template.own && may.change) {
    items.push({ key: "edit", label: t("template.edit"), onSelect: () => void navigate({ to: "/templates/$id", params: { id } }) });
    items.push({ key: "delete", label: t("cluster.delete"), danger: true, onSelect: () => onDelete(template) });
  }
  if (items.length === 0) return <span className="muted">—</span>;
  return <MenuButton floating className="menu-outlined menu-small" label={t("cluster.actions")} name={t("template.actionsOf", { name })} items={items} />;
}
