// All pages and the addresses they live at. Filters live in the address; pages other than the cluster list are loaded when first visited.
import type { QueryClient } from "@tanstack/react-query";
import { createRootRouteWithContext, createRoute, createRouter, lazyRouteComponent, Outlet, redirect } from "@tanstack/react-router";
import { isApiError } from "../api/client";
import { loadSession, sessionKey } from "../api/session";
import { AUDIT_OUTCOMES, OPERATION_KINDS, VALIDITIES, type AuditOutcome, type OperationKind, type OperationState, type Phase, type QuotaRequestState, type Validity } from "../api/types";
import { ClusterListPage } from "../features/clusters/ClusterListPage";
import { operatorTexts } from "../i18n";
import { PageCrash, NotFoundPage } from "./FallbackPages";
import { Shell } from "./Shell";

const PHASES: readonly Phase[] = ["Provisioning", "Running", "Degraded", "Updating", "Deleting", "Failed"];
const OPERATION_STATES: readonly OperationState[] = ["pending", "running", "blocked", "succeeded", "failed", "cancelled"];

const QUOTA_REQUEST_STATES: readonly QuotaRequestState[] = ["pending", "approved", "declined", "withdrawn"];

type Search = Record<string, unknown>;

const text = (value: unknown): string | undefined => (typeof value === "string" && value !== "" ? value : typeof value === "number" ? String(value) : undefined);

function oneOf<T extends string>(all: readonly T[], value: unknown): T | undefined {
  return all.find((known) => known === value);
}

export interface ListSearch {
  search?: string;
  phase?: Phase;
  cursor?: string;
  sort?: string;
}

function listSearch(search: Search): ListSearch {
  return { search: text(search.search), phase: oneOf(PHASES, search.phase), cursor: text(search.cursor), sort: text(search.sort) };
}

const root = createRootRouteWithContext<{ queryClient: QueryClient }>()({ notFoundComponent: NotFoundPage });

interface SignInSearch {
  next?: string;
  reason?: "expired";
  /** The code of why an identity provider's sign-in came to nothing. */
  refused?: string;
}

const signIn = createRoute({
  getParentRoute: () => root,
  path: "/sign-in",
  validateSearch: (search: Search): SignInSearch => ({ next: text(search.next), reason: oneOf(["expired"], search.reason), refused: /^KCS-[A-Z]+-\d{3}$/.exec(text(search.refused) ?? "")?.[0] }),
  component: lazyRouteComponent(() => import("../features/signin/SignInPage"), "SignInPage"),
});

const app = createRoute({
  getParentRoute: () => root,
  id: "app",
  component: Shell,
  beforeLoad: async ({ context, location }) => {
    try {
      await context.queryClient.ensureQueryData({ queryKey: sessionKey, queryFn: loadSession });
    } catch (error) {
      if (isApiError(error) && error.status === 401) throw redirect({ to: "/sign-in", search: { next: location.href === "/" ? undefined : location.href } });
      throw error;
    }
  },
});

const overview = createRoute({ getParentRoute: () => app, path: "/", component: lazyRouteComponent(() => import("../features/overview/OverviewPage"), "OverviewPage") });

const clusters = createRoute({ getParentRoute: () => app, path: "/clusters", validateSearch: listSearch, component: ClusterListPage });

const create = createRoute({
  getParentRoute: () => app,
  path: "/clusters/new",
  validateSearch: (search: Search): { mode?: "full"; template?: string } => ({ mode: oneOf(["full"], search.mode), template: text(search.template) }),
  component: lazyRouteComponent(() => import("../features/create/CreatePage"), "CreatePage"),
});

const cluster = createRoute({ getParentRoute: () => app, path: "/clusters/$id", component: lazyRouteComponent(() => import("../features/cluster/ClusterPage"), "ClusterPage") });

const clusterOverview = createRoute({ getParentRoute: () => cluster, path: "/", component: lazyRouteComponent(() => import("../features/cluster/OverviewTab"), "OverviewTab") });
const clusterNodes = createRoute({ getParentRoute: () => cluster, path: "/nodes", component: lazyRouteComponent(() => import("../features/cluster/NodesTab"), "NodesTab") });
const clusterAddons = createRoute({ getParentRoute: () => cluster, path: "/addons", component: lazyRouteComponent(() => import("../features/cluster/AddonsTab"), "AddonsTab") });
const clusterStorage = createRoute({ getParentRoute: () => cluster, path: "/storage", component: lazyRouteComponent(() => import("../features/cluster/StorageTab"), "StorageTab") });
const clusterObjects = createRoute({ getParentRoute: () => cluster, path: "/objects", component: lazyRouteComponent(() => import("../features/cluster/ObjectsTab"), "ObjectsTab") });
const clusterKubeconfigs = createRoute({ getParentRoute: () => cluster, path: "/kubeconfigs", component: lazyRouteComponent(() => import("../features/cluster/KubeconfigsTab"), "KubeconfigsTab") });
const clusterOperations = createRoute({ getParentRoute: () => cluster, path: "/operations", component: lazyRouteComponent(() => import("../features/cluster/OperationsTab"), "OperationsTab") });

export interface WorkloadSearch {
  kind?: "pods";
  namespace?: string;
  search?: string;
  cursor?: string;
}

const clusterWorkloads = createRoute({
  getParentRoute: () => cluster,
  path: "/workloads",
  validateSearch: (search: Search): WorkloadSearch => ({
    kind: oneOf(["pods"], search.kind),
    namespace: text(search.namespace),
    search: text(search.search),
    cursor: text(search.cursor),
  }),
  component: lazyRouteComponent(() => import("../features/cluster/WorkloadsTab"), "WorkloadsTab"),
});

const podLogs = createRoute({
  getParentRoute: () => cluster,
  path: "/pods/$namespace/$pod/logs",
  validateSearch: (search: Search): { container?: string } => ({ container: text(search.container) }),
  component: lazyRouteComponent(() => import("../features/cluster/PodLogsPage"), "PodLogsPage"),
});

const templates = createRoute({
  getParentRoute: () => app,
  path: "/templates",
  validateSearch: (search: Search): { of?: "public" | "own" } => ({ of: oneOf(["public", "own"], search.of) }),
  component: lazyRouteComponent(() => import("../features/templates/TemplateListPage"), "TemplateListPage"),
});

const templateNew = createRoute({
  getParentRoute: () => app,
  path: "/templates/new",
  validateSearch: (search: Search): { from?: string } => ({ from: text(search.from) }),
  component: lazyRouteComponent(() => import("../features/templates/TemplateNewPage"), "TemplateNewPage"),
});

const template = createRoute({ getParentRoute: () => app, path: "/templates/$id", component: lazyRouteComponent(() => import("../features/templates/TemplatePage"), "TemplatePage") });

const operations = createRoute({
  getParentRoute: () => app,
  path: "/operations",
  validateSearch: (search: Search): { state?: OperationState; cursor?: string } => ({ state: oneOf(OPERATION_STATES, search.state), cursor: text(search.cursor) }),
  component: lazyRouteComponent(() => import("../features/operations/OperationListPage"), "OperationListPage"),
});

const operation = createRoute({ getParentRoute: () => app, path: "/operations/$id", component: lazyRouteComponent(() => import("../features/operations/OperationPage"), "OperationPage") });

export interface AuditSearch {
  user?: string;
  action?: string;
  outcome?: AuditOutcome;
  cluster?: string;
  /** Points in time, in UTC, so that an address means the same to everybody. */
  from?: string;
  to?: string;
}

const moment = (value: unknown): string | undefined => (typeof value === "string" && !Number.isNaN(Date.parse(value)) ? value : undefined);

function auditSearch(search: Search): AuditSearch {
  return {
    user: text(search.user),
    action: text(search.action),
    outcome: oneOf(AUDIT_OUTCOMES, search.outcome),
    cluster: text(search.cluster),
    from: moment(search.from),
    to: moment(search.to),
  };
}

const audit = createRoute({ getParentRoute: () => app, path: "/audit", validateSearch: auditSearch, component: lazyRouteComponent(() => import("../features/audit/AuditPage"), "AuditPage") });

const tokens = createRoute({
  getParentRoute: () => app,
  path: "/tokens",
  validateSearch: (search: Search): { state?: Validity } => ({ state: oneOf(VALIDITIES, search.state) }),
  component: lazyRouteComponent(() => import("../features/tokens/TokensPage"), "TokensPage"),
});

const members = createRoute({
  getParentRoute: () => app,
  path: "/members",
  validateSearch: (search: Search): { tab?: "roles"; search?: string } => ({ tab: oneOf(["roles"], search.tab), search: text(search.search) }),
  component: lazyRouteComponent(() => import("../features/members/MembersPage"), "MembersPage"),
});

const quota = createRoute({ getParentRoute: () => app, path: "/quota", component: lazyRouteComponent(() => import("../features/quota/QuotaPage"), "QuotaPage") });

const device = createRoute({
  getParentRoute: () => app,
  path: "/device",
  validateSearch: (search: Search): { code?: string } => ({ code: text(search.code) }),
  component: lazyRouteComponent(() => import("../features/device/DevicePage"), "DevicePage"),
});

/** Around the operators' pages: their words come with the first of them, as a part of the program that may have to be fetched anew after an upgrade. */
const operator = createRoute({
  getParentRoute: () => app,
  id: "operator",
  component: lazyRouteComponent(async () => {
    await operatorTexts();
    return { Pages: Outlet };
  }, "Pages"),
});

export interface AdminListSearch extends ListSearch {
  project?: string;
  version?: string;
}

const adminClusters = createRoute({
  getParentRoute: () => operator,
  path: "/admin/clusters",
  validateSearch: (search: Search): AdminListSearch => ({ ...listSearch(search), project: text(search.project), version: text(search.version) }),
  component: lazyRouteComponent(() => import("../features/admin/AdminClustersPage"), "AdminClustersPage"),
});

export interface TenantsSearch {
  tab?: "requests";
  search?: string;
  asks?: true;
  /** Of requests; without it those that wait. */
  state?: QuotaRequestState | "all";
  cursor?: string;
}

const adminTenants = createRoute({
  getParentRoute: () => operator,
  path: "/admin/tenants",
  validateSearch: (search: Search): TenantsSearch => ({
    tab: oneOf(["requests"], search.tab),
    search: text(search.search),
    asks: search.asks === true || undefined,
    state: oneOf([...QUOTA_REQUEST_STATES, "all"], search.state),
    cursor: text(search.cursor),
  }),
  component: lazyRouteComponent(() => import("../features/tenants/TenantsPage"), "TenantsPage"),
});

export interface QueueSearch {
  search?: string;
  project?: string;
  /** `open`: those that have not ended. */
  state?: OperationState | "open";
  kind?: OperationKind;
  cursor?: string;
}

const adminOperations = createRoute({
  getParentRoute: () => operator,
  path: "/admin/operations",
  validateSearch: (search: Search): QueueSearch => ({
    search: text(search.search),
    project: text(search.project),
    state: oneOf([...OPERATION_STATES, "open"], search.state),
    kind: oneOf(OPERATION_KINDS, search.kind),
    cursor: text(search.cursor),
  }),
  component: lazyRouteComponent(() => import("../features/queue/QueuePage"), "QueuePage"),
});

const adminCatalogue = createRoute({ getParentRoute: () => operator, path: "/admin/catalogue", component: lazyRouteComponent(() => import("../features/admin/CataloguePage"), "CataloguePage") });

const adminAnnouncements = createRoute({
  getParentRoute: () => operator,
  path: "/admin/announcements",
  component: lazyRouteComponent(() => import("../features/announcements/AnnouncementsPage"), "AnnouncementsPage"),
});

const adminSettings = createRoute({
  getParentRoute: () => operator,
  path: "/admin/settings",
  validateSearch: (search: Search): { cursor?: string } => ({ cursor: text(search.cursor) }),
  component: lazyRouteComponent(() => import("../features/settings/SettingsPage"), "SettingsPage"),
});

const adminOrphans = createRoute({ getParentRoute: () => operator, path: "/admin/orphans", component: lazyRouteComponent(() => import("../features/admin/OrphansPage"), "OrphansPage") });

const adminKeys = createRoute({ getParentRoute: () => operator, path: "/admin/keys", component: lazyRouteComponent(() => import("../features/admin/KeysPage"), "KeysPage") });

const adminHealth = createRoute({ getParentRoute: () => operator, path: "/admin/health", component: lazyRouteComponent(() => import("../features/admin/HealthPage"), "HealthPage") });

const adminPeople = createRoute({
  getParentRoute: () => operator,
  path: "/admin/people",
  validateSearch: (search: Search): { search?: string } => ({ search: text(search.search) }),
  component: lazyRouteComponent(() => import("../features/admin/PeoplePage"), "PeoplePage"),
});

const adminAudit = createRoute({
  getParentRoute: () => operator,
  path: "/admin/audit",
  validateSearch: (search: Search): AuditSearch & { project?: string } => ({ ...auditSearch(search), project: text(search.project) }),
  component: lazyRouteComponent(() => import("../features/admin/AdminAuditPage"), "AdminAuditPage"),
});

const routeTree = root.addChildren([
  signIn,
  app.addChildren([
    overview,
    clusters,
    create,
    cluster.addChildren([clusterOverview, clusterNodes, clusterWorkloads, podLogs, clusterStorage, clusterAddons, clusterObjects, clusterKubeconfigs, clusterOperations]),
    templates,
    templateNew,
    template,
    operations,
    operation,
    audit,
    tokens,
    members,
    quota,
    device,
    operator.addChildren([adminClusters, adminTenants, adminOperations, adminCatalogue, adminAnnouncements, adminSettings, adminOrphans, adminKeys, adminHealth, adminPeople, adminAudit]),
  ]),
]);

export const router = createRouter({
  routeTree,
  context: { queryClient: undefined as unknown as QueryClient },
  defaultPreload: "intent",
  defaultPreloadStaleTime: 0,
  defaultErrorComponent: PageCrash,
  defaultNotFoundComponent: NotFoundPage,
  scrollRestoration: true,
});

declare module "@tanstack/react-router" {
  interface Register {
    router: typeof router;
  }
}
