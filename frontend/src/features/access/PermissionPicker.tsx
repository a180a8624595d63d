// Permissions to be chosen, by area.
import { useTranslation } from "react-i18next";
import type { Permission } from "../../api/types";
import type { Area } from "./permissions";
import "./access.css";

interface Props {
  areas: readonly Area[];
  chosen: ReadonlySet<Permission>;
  onChange: (chosen: ReadonlySet<Permission>) => void;
}

export function PermissionPicker({ areas, chosen, onChange }: Props) {
  const { t } = useTranslation();
  const toggle = (permission: Permission) => {
    const next = new Set(chosen);
    if (!next.delete(permission)) next.add(permission);
    onChange(next);
  };
  return (
    <div className="permissions">
      {areas.map(({ area, permissions }) => (
        <fieldset key={area} className="choices">
          <legend className="small muted">{t(`permission.area.${area}`)}</legend>
          {permissions.map((permission) => (
            <label key={permission} className="check">
              <input type="checkbox" checked={chosen.has(permission)} onChange={() => toggle(permission)} />
              <span>{t(`permission.of.${permission}`)}</span>
            </label>
          ))}
        </fieldset>
      ))}
    </div>
  );
}
