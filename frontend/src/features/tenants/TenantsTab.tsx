// The list of tenants, with what each has of its limits and what it may use.
import { BankOutlined } from "@ant-design/icons";
import { useNavigate, useSearch } from "@tanstack/react-router";
import { Button } from "antd";
import { lazy, Suspense, useCallback, useState } from "react";
import { useTranslation } from "react-i18next";
import { useTenants } from "../../api/tenants";
import type { AdminTenant, TenantLimit } from "../../api/types";
import { DataTable, Pager, type Column } from "../../components/DataTable";
import { Card, Empty } from "../../components/Page";
import { Status } from "../../components/Status";
import { Ago } from "../../components/Time";
import { useFormat } from "../../i18n/format";
import { NothingFound } from "../clusters/ClusterList";
import { SearchBox } from "../clusters/ListFilters";
import { ALLOWED_KINDS } from "../quota/AllowedList";

const TenantDialog = lazy(() => import("./TenantDialog"));

export function TenantsTab() {
  const { t } = useTranslation();
  const { search, asks, cursor } = useSearch({ from: "/app/operator/admin/tenants" });
  const navigate = useNavigate({ from: "/admin/tenants" });
  const tenants = useTenants({ search, asks, cursor }, true);
  const [setting, setSetting] = useState<AdminTenant | null>(null);
  const columns = useColumns(tenants.data?.items.some((tenant) => tenant.cost) ?? false, setSetting);
  const onSearch = useCallback((text: string) => void navigate({ search: (old) => ({ ...old, cursor: undefined, search: text || undefined }), replace: true }), [navigate]);
  const items = tenants.data?.items;
  return (
    <Card flush>
      <div className="toolbar">
        <SearchBox value={search ?? ""} onChange={onSearch} label={t("admin.tenants.search")} />
        <label className="check">
          <input type="checkbox" checked={asks ?? false} onChange={(event) => void navigate({ search: { search, asks: event.target.checked || undefined } })} />
          <span>{t("admin.tenants.asking")}</span>
        </label>
      </div>
      <DataTable
        name={t("admin.tenants.tab.tenants")}
        columns={columns}
        rows={items}
        rowKey={(tenant) => tenant.id}
        error={tenants.error}
        onRetry={() => void tenants.refetch()}
        stale={tenants.isPlaceholderData}
        empty={search || asks || cursor ? <NothingFound onClear={() => void navigate({ search: {} })} /> : <Empty icon={<BankOutlined />} title={t("admin.tenants.none")} text={t("admin.tenants.noneText")} />}
      />
      {items && items.length > 0 && (
        <Pager
          shown={items.length}
          total={tenants.data?.total}
          hasPrevious={Boolean(cursor)}
          nextCursor={tenants.data?.next_cursor}
          onPrevious={() => void navigate({ search: { search, asks } })}
          onNext={(next) => void navigate({ search: { search, asks, cursor: next } })}
        />
      )}
      <Suspense fallback={null}>{setting && <TenantDialog tenant={setting} onClose={() => setSetting(null)} />}</Suspense>
    </Card>
  );
}

function useColumns(priced: boolean, onSet: (tenant: AdminTenant) => void): Column<AdminTenant>[] {
  const { t } = useTranslation();
  return [
    {
      key: "tenant",
      title: t("admin.tenants.col.tenant"),
      main: true,
      width: "24%",
      render: (tenant) => (
        <div className="name-cell">
          <span className="break">{tenant.name}</span>
          <code className="id break">{tenant.id}</code>
          {tenant.asks && <Status tone="warn">{t("admin.tenants.asks")}</Status>}
        </div>
      ),
    },
    { key: "limits", title: t("admin.tenants.limitsOf"), width: "38%", render: (tenant) => <LimitCells limits={tenant.limits} /> },
    { key: "allowed", title: t("admin.tenants.restricted"), render: (tenant) => <Narrowed tenant={tenant} /> },
    ...(priced ? [{ key: "cost", title: t("cost.column"), align: "right" as const, render: ({ cost }: AdminTenant) => <CostCell cost={cost} /> }] : []),
    {
      key: "changed",
      title: t("admin.tenants.col.changed"),
      render: (tenant) =>
        tenant.changed_at ? (
          <div className="name-cell">
            <Ago time={tenant.changed_at} />
            <span className="small muted break">{tenant.changed_by}</span>
          </div>
        ) : (
          <span className="muted">{t("admin.tenants.never")}</span>
        ),
    },
    {
      key: "act",
      title: t("cluster.actions"),
      render: (tenant) => (
        <Button size="small" aria-label={t("admin.tenants.setOf", { name: tenant.name })} onClick={() => onSet(tenant)}>
          {t("admin.tenants.set")}
        </Button>
      ),
    },
  ];
}

const full = (limit: TenantLimit) => typeof limit.limit === "number" && limit.used >= limit.limit;

function LimitCells({ limits }: { limits: TenantLimit[] }) {
  const { t } = useTranslation();
  const { amount } = useFormat();
  return (
    <ul className="limit-cells small">
      {limits.map((limit) => (
        <li key={limit.resource}>
          <span>{t(`create.quota.${limit.resource}`)}</span>
          <span className={`numeric ${full(limit) ? "tone-warn" : ""}`}>
            {amount(limit.used)}
            <span className="muted"> / {limit.limit === null ? "∞" : amount(limit.limit)}</span>
          </span>
        </li>
      ))}
    </ul>
  );
}

function CostCell({ cost }: Pick<AdminTenant, "cost">) {
  const { t } = useTranslation();
  const { money } = useFormat();
  if (!cost) return <span className="muted">—</span>;
  return (
    <div className="name-cell">
      <span className="numeric nowrap">{money(cost.per_hour, cost.currency, 4)}</span>
      {cost.unpriced.length > 0 && <span className="small muted break">{t("cost.unpriced", { names: cost.unpriced.join(t("create.comma")) })}</span>}
    </div>
  );
}

function Narrowed({ tenant }: { tenant: AdminTenant }) {
  const { t } = useTranslation();
  const narrowed = ALLOWED_KINDS.filter((kind) => tenant.allowed[kind]);
  if (narrowed.length === 0) return <span className="muted">{t("admin.tenants.all")}</span>;
  return (
    <ul className="tags">
      {narrowed.map((kind) => (
        <li key={kind} className="tag">
          {t(`admin.tenants.narrowed.${kind}`, { count: tenant.allowed[kind]?.length })}
        </li>
      ))}
    </ul>
  );
}
