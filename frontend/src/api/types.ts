// The API's nouns under the names the console uses. All of them come from the generated schema, so a change of the API fails the type check.
import type { components } from "./schema";

type Schemas = components["schemas"];

export type Phase = Schemas["Phase"];
export type OperationKind = Schemas["OperationKind"];
export type OperationState = Schemas["OperationState"];
export type StepState = Schemas["StepState"];
export type Session = Schemas["Session"];
export type Version = Schemas["Version"];
export type Template = Schemas["Template"];
export type Taint = Schemas["Taint"];
export type Condition = Schemas["Condition"];
export type NodePoolSpec = Schemas["NodePoolSpec"];
export type ClusterSpec = Schemas["ClusterSpec"];
export type Cluster = Schemas["Cluster"];
export type ClusterRequest = Schemas["ClusterRequest"];
export type PlannedObject = Schemas["PlannedObject"];
export type Check = Schemas["Check"];
export type QuotaNeed = Schemas["QuotaNeed"];
export type Cost = Schemas["Cost"];
export type ApiExposure = Schemas["ApiExposure"];
export type DeletePlan = Schemas["DeletePlan"];
export type NodePool = Schemas["NodePool"];
export type ClusterNode = Schemas["Node"];
export type Resource = Schemas["Resource"];
export type ResourceKind = Schemas["ResourceKind"];
export type Operation = Schemas["Operation"];
export type OperationBrief = Schemas["OperationBrief"];
export type Step = Schemas["Step"];
export type Receipt = Schemas["Receipt"];
export type Kubeconfig = Schemas["Kubeconfig"];
export type KubeconfigIssued = Schemas["KubeconfigIssued"];
export type Deployment = Schemas["Deployment"];
export type Pod = Schemas["Pod"];
export type Problem = Schemas["Problem"];
