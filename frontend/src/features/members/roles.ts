// Roles as they are given: a built-in one by its name, or one of the project's own by its id.
import { useTranslation } from "react-i18next";
import type { CustomRole, Role } from "../../api/types";
import { useRoleWord } from "../../components/words";
import { areasOf } from "../access/permissions";

/** The greatest first. */
export const BUILT_IN: readonly Role[] = ["owner", "member", "reader", "guest"];

/** What can be given in a place: whoever manages members does so in all of the project, and a guest has nothing. */
export const OF_PLACES: readonly Role[] = ["member", "reader"];

/** Stands between permissions, some of which have commas of their own. */
export const BETWEEN = " · ";

export const builtIn = (role: string): Role | undefined => BUILT_IN.find((known) => known === role);

/** A role by its name; one of the project's own that is not known stays an id. */
export function useGivenRoleWord(roles: readonly CustomRole[]) {
  const word = useRoleWord();
  return (role: string): string => {
    const known = builtIn(role);
    return known ? word(known) : (roles.find((own) => own.id === role)?.name ?? role);
  };
}

/** What a role of the project's own allows, in one line. */
export function useRoleLine() {
  const { t } = useTranslation();
  return (role: CustomRole): string => {
    const words = areasOf((permission) => role.permissions.includes(permission)).flatMap(({ permissions }) => permissions.map((permission) => t(`permission.of.${permission}`)));
    return words.length > 0 ? words.join(BETWEEN) : t("member.looksOnly");
  };
}
