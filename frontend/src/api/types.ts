// The API's nouns under the names the console uses. All of them come from the generated schema, so a change of the API fails the type check.
import type { components } from "./schema";

type Schemas = components["schemas"];

export type Phase = Schemas["Phase"];
export type OperationKind = Schemas["OperationKind"];
export const OPERATION_KINDS = ["cluster_create", "cluster_repair", "control_plane_resize", "node_pool_create", "node_pool_resize", "node_pool_delete", "node_replace", "node_drain", "node_reboot", "credential_rotate", "encryption_key_rotate", "api_audit_change", "api_access_change", "cluster_delete"] as const satisfies readonly OperationKind[];
export type OperationState = Schemas["OperationState"];
export type Session = Schemas["Session"];
/** An identity provider that people may sign in with. */
export type FederationProvider = Schemas["FederationProvider"];
/** An application credential, by id or by whose it is. */
export type CredentialSignIn = Schemas["CredentialSignIn"];
export type Version = Schemas["Version"];
export type Template = Schemas["Template"];
export type Taint = Schemas["Taint"];
export type Condition = Schemas["Condition"];
export type NodePoolSpec = Schemas["NodePoolSpec"];
export type ClusterSpec = Schemas["ClusterSpec"];
/** What can be changed at any time; what is left out stays. */
export type ClusterSettings = Schemas["ClusterPatch"];
export type Cluster = Schemas["Cluster"];
export type ClusterSpecRequest = Schemas["ClusterSpecRequest"];
export type ClusterRequest = Schemas["ClusterRequest"];
export type PlannedObject = Schemas["PlannedObject"];
export type Check = Schemas["Check"];
export type QuotaNeed = Schemas["QuotaNeed"];
export type SizePlan = Schemas["SizePlan"];
export type Cost = Schemas["Cost"];
export type Addon = Schemas["List_Addon"]["items"][number];
export type AddonsSpec = Required<Schemas["AddonsSpec"]>;
export type RepairPolicy = Schemas["RepairPolicy"];
export type ApiAuditLevel = Schemas["ApiAuditLevel"];
export type AddonState = Schemas["AddonState"];
export type KubernetesNode = Schemas["KubernetesNode"];
export type NodeMarks = Schemas["NodeMarks"];
export type PoolMarks = Schemas["PoolMarks"];
export type OperationAccepted = Schemas["OperationAccepted"];
export type TemplateRequest = Schemas["TemplateRequest"];
export type ProjectCost = Schemas["ProjectCost"];
export type ApiExposure = Schemas["ApiExposure"];
export type DeletePlan = Schemas["DeletePlan"];
export type NodePool = Schemas["NodePool"];
export type ClusterNode = Schemas["Node"];
export type Resource = Schemas["Resource"];
export type ResourceHealth = Schemas["ResourceHealth"];
export type AddedRule = Schemas["AddedRule"];
export type ResourceKind = Schemas["ResourceKind"];
export type Operation = Schemas["Operation"];
export type OperationBrief = Schemas["OperationBrief"];
export type Step = Schemas["Step"];
export type Receipt = Schemas["Receipt"];
export type Kubeconfig = Schemas["Kubeconfig"];
export type KubeconfigRequest = Schemas["KubeconfigRequest"];
export type Certificate = Schemas["Certificate"];
export type CertificateRequest = Schemas["CertificateRequest"];
export type KeyReport = Schemas["KeyReport"];
/** What clusters are together. */
export type ClusterTotals = Schemas["ClusterTotals"];
/** How the service itself is. */
export type ServiceStanding = Schemas["AdminHealth"];
export type KubeconfigIssued = Schemas["KubeconfigIssued"];
export type ClusterVolume = Schemas["ClusterVolume"];
export type StorageClass = Schemas["StorageClass"];
export type StorageClassRequest = Schemas["StorageClassRequest"];
export type StorageReclaim = Schemas["StorageReclaim"];
export type StorageBinding = Schemas["StorageBinding"];
export type Deployment = Schemas["Deployment"];
export type Pod = Schemas["Pod"];
export type Pause = Schemas["Pause"];
export type Queue = Schemas["Queue"];
export type AdminOperation = Schemas["AdminOperation"];
export type ClusterRef = Schemas["ClusterRef"];
export type Announcement = Schemas["Announcement"];
export type AnnouncementKind = Schemas["AnnouncementKind"];
export type AnnouncementRequest = Schemas["AnnouncementRequest"];
export type Severity = Schemas["Severity"];
export type AdminAnnouncement = Schemas["AdminAnnouncement"];
export type AdminCatalogue = Schemas["AdminCatalogue"];
export type VersionUse = Schemas["VersionUse"];
export type FlavorUsage = Schemas["FlavorUsage"];
export type TemplateOffer = Schemas["TemplateOffer"];
export type NodeImage = Schemas["NodeImage"];
export type AddonOffer = Schemas["AddonOffer"];
export type PriceList = Schemas["PriceList"];
export type AdminSettings = Schemas["AdminSettings"];
export type SettingValue = Schemas["SettingValue"];
export type SettingsRequest = Schemas["SettingsRequest"];
export type SettingsTest = Schemas["SettingsTest"];
export type SettingsRevision = Schemas["SettingsRevision"];
export type SettingDifference = Schemas["Difference"];
export type InstallationSettings = Schemas["InstallationSettings"];
export type Prices = Schemas["Prices"];
/** A Kubernetes version as operators offer it. */
export type CatalogueVersion = Schemas["CatalogueVersion"];
export type Orphan = Schemas["Orphan"];
export type OrphanDecision = Schemas["OrphanDecision"]["decision"];
/** A person who holds something of KCS's own: sessions, tokens, kubeconfigs. */
export type Holder = Schemas["Holder"];
/** One of those things. */
export type Held = Schemas["Held"];
/** `via_id`: of the token or kubeconfig. */
export type AuditLine = Schemas["AuditLine"] & { via_id?: string | null };
export type ApiToken = Schemas["ApiToken"];
export type ApiTokenRequest = Schemas["ApiTokenRequest"];
export type ApiTokenIssued = Schemas["ApiTokenIssued"];
export type DeviceSignIn = Schemas["DeviceSignIn"];
export type DeviceAnswer = Schemas["DeviceAnswer"];
export type Permission = Schemas["Permission"];
export type Role = Schemas["Role"];
/** A person of the project; `role`, here and in places, is a built-in one or the id of one of the project's own. */
export type Member = Schemas["Member"];
export type MemberRequest = Schemas["MemberRequest"];
export type GivenPlace = Schemas["GivenPlace"];
export type CustomRole = Schemas["CustomRole"];
export type CustomRoleRequest = Schemas["CustomRoleRequest"];
/** What a project may have only so much of. */
export type Limited = Schemas["Limited"];
export type LimitUse = Schemas["LimitUse"];
export type ProjectQuota = Schemas["ProjectQuota"];
export type Allowed = Schemas["Allowed"];
export type QuotaRequest = Schemas["QuotaRequest"];
export type QuotaRequestBody = Schemas["QuotaRequestBody"];
export type QuotaRequestState = Schemas["QuotaRequestState"];
export type QuotaDecision = Schemas["QuotaDecision"];
export type QuotaAnswer = Schemas["QuotaAnswer"];
export type AdminTenant = Schemas["AdminTenant"];
export type TenantLimit = Schemas["TenantLimit"];
export type TenantRequest = Schemas["TenantRequest"];
export type Problem = Schemas["Problem"];

/** How an act ended, in the audit log's words. */
export const AUDIT_OUTCOMES = ["accepted", "done", "denied", "failed", "cancelled"] as const;
export type AuditOutcome = (typeof AUDIT_OUTCOMES)[number];

export const VALIDITIES = ["valid", "expired", "revoked"] as const;
/** Whether a token or a kubeconfig is good for anything. */
export type Validity = (typeof VALIDITIES)[number];
