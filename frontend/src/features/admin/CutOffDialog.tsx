// Asks before all access of a person is ended, and says what that is.
import { useTranslation } from "react-i18next";
import { cutOff } from "../../api/people";
import type { Holder } from "../../api/types";
import { ConfirmDialog } from "../../components/ConfirmDialog";
import { useHeld } from "./useHeld";

export default function CutOffDialog({ person, onClose }: { person: Holder; onClose: () => void }) {
  const { t } = useTranslation();
  const held = useHeld();
  return (
    <ConfirmDialog
      title={t("admin.people.cutOffTitle", { name: person.name })}
      submit={t("admin.people.cutOff")}
      act={() => cutOff(person.id)}
      done={(ended) => t("admin.people.done", { name: ended.name, what: held(ended).join(t("create.comma")) })}
      stale={[["people"]]}
      onClose={onClose}
    >
      <div className="fault fault-warn">
        <div className="fault-body">
          <p className="fault-title">{t("admin.people.ends")}</p>
          <ul className="tags">
            {held(person).map((what) => (
              <li key={what} className="tag">
                {what}
              </li>
            ))}
          </ul>
        </div>
      </div>
      <p>{t("admin.people.cutOffText")}</p>
      <p className="muted">{t("admin.people.again")}</p>
    </ConfirmDialog>
  );
}
