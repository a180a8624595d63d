// The texts of this language that everybody gets, by area.
import audit from "./audit.json";
import cluster from "./cluster.json";
import clusters from "./clusters.json";
import common from "./common.json";
import cost from "./cost.json";
import create from "./create.json";
import device from "./device.json";
import error from "./error.json";
import kubeconfig from "./kubeconfig.json";
import member from "./member.json";
import operation from "./operation.json";
import overview from "./overview.json";
import permission from "./permission.json";
import quota from "./quota.json";
import shell from "./shell.json";
import status from "./status.json";
import storage from "./storage.json";
import template from "./template.json";
import token from "./token.json";
import unit from "./unit.json";
import workload from "./workload.json";

const texts = { audit, cluster, clusters, common, cost, create, device, error, kubeconfig, member, operation, overview, permission, quota, shell, status, storage, template, token, unit, workload };
export default texts;
