// All texts of this language, by area.
import admin from "./admin.json";
import cluster from "./cluster.json";
import clusters from "./clusters.json";
import common from "./common.json";
import cost from "./cost.json";
import create from "./create.json";
import error from "./error.json";
import kubeconfig from "./kubeconfig.json";
import operation from "./operation.json";
import overview from "./overview.json";
import shell from "./shell.json";
import status from "./status.json";
import template from "./template.json";
import unit from "./unit.json";
import workload from "./workload.json";

const texts = { admin, cluster, clusters, common, cost, create, error, kubeconfig, operation, overview, shell, status, template, unit, workload };
export default texts;
