// A cluster's specification kept as a template.
import type { Cluster } from "../../api/types";
import { draftFromSpec, specFromDraft } from "../create/draft";
import SaveTemplateDialog from "../templates/SaveTemplateDialog";

export default function SaveAsTemplate({ cluster, onClose }: { cluster: Cluster; onClose: () => void }) {
  return <SaveTemplateDialog name={cluster.name} spec={specFromDraft(draftFromSpec(cluster.spec))} onClose={onClose} />;
}
