//! The policy on one page: every action, the permission it needs (`Permission::least_role` says which role has it), and what it acts on.
//! Reading needs any role and is bounded by `Scope`; the admin view needs an operator.

use crate::permit::Action;
use domain::ids::{ClusterId, KubeconfigId, OperationId, TemplateId, TokenId};
use domain::permissions::Permission;

macro_rules! actions {
    ($($(#[$doc:meta])* $name:ident ($permission:ident) on $id:ty;)+) => {$(
        $(#[$doc])*
        #[derive(Clone, Copy, Debug)]
        pub enum $name {}

        impl Action for $name {
            const PERMISSION: Permission = Permission::$permission;
            type Id = $id;
        }
    )+};
}

actions! {
    /// Create a cluster in a project.
    ClusterCreate (ClusterCreate) on ();
    /// Change settings of a cluster: what it is like, not how large.
    ClusterUpdate (ClusterUpdate) on ClusterId;
    /// Delete a cluster with all it consists of.
    ClusterDelete (ClusterDelete) on ClusterId;
    /// Make whole what is missing or broken.
    ClusterRepair (ClusterRepair) on ClusterId;
    /// Change the count of masters.
    ControlPlaneResize (ControlPlaneResize) on ClusterId;
    /// Add a node pool.
    NodePoolCreate (NodePoolCreate) on ClusterId;
    /// Delete a node pool with its nodes.
    NodePoolDelete (NodePoolDelete) on ClusterId;
    /// Cordon, label, taint, drain, reboot or replace a node, and read what it said as it booted.
    NodeOperate (NodeOperate) on ClusterId;
    /// Change the count of a node pool.
    NodePoolResize (NodePoolResize) on ClusterId;
    /// Let a failed or blocked operation go on.
    OperationRetry (OperationRetry) on OperationId;
    /// Stop a resize where it is.
    OperationCancel (OperationCancel) on OperationId;
    /// Get a kubeconfig that speaks for oneself.
    KubeconfigIssue (KubeconfigIssue) on ClusterId;
    /// Make a kubeconfig worthless: one's own as a reader, anybody's as a member.
    KubeconfigRevoke (KubeconfigRevoke) on KubeconfigId;
    /// Make all kubeconfigs of a cluster worthless, whoever's.
    KubeconfigRevokeAll (KubeconfigRevokeAll) on ClusterId;
    /// Change Kubernetes objects through the console.
    KubernetesWrite (KubernetesWrite) on ClusterId;
    /// Run commands in containers, forward ports.
    KubernetesExec (KubernetesExec) on ClusterId;
    /// Keep a template of the project's own.
    TemplateCreate (TemplateCreate) on ();
    /// Change or delete such a template.
    TemplateChange (TemplateChange) on TemplateId;
    /// Get an API token that speaks for oneself.
    TokenCreate (TokenCreate) on ();
    /// Make such a token worthless.
    TokenRevoke (TokenRevoke) on TokenId;
    /// Ask for more than the project's limits, and take that back.
    QuotaRequest (QuotaRequest) on ();
    /// Say what others may do: members, and roles of the project's own.
    MembersManage (MembersManage) on ();
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;
    use crate::permit::Resource;
    use crate::{Actor, Forbidden, Grade, Grants, Narrowing, Place, Project, Rights, Sight, User, Via};
    use domain::codes::Code;
    use domain::ids::TenantId;
    use domain::permissions::Role;

    fn actor(tenant: &str, role: Option<Role>) -> Actor {
        let user = User { id: "u".into(), name: "u".into(), domain: "default".into() };
        let project = Project { id: TenantId(tenant.into()), name: tenant.into() };
        Actor::new(user, project, Grants { roles: role.into_iter().collect(), operator: false }, None, Via::Session)
    }

    /// A thing of tenant `a`.
    struct Thing<Id>(Id, TenantId);

    impl<Id: Clone> Resource for Thing<Id> {
        type Id = Id;
        fn id(&self) -> Id {
            self.0.clone()
        }
        fn tenant(&self) -> &TenantId {
            &self.1
        }
        fn cluster(&self) -> Option<ClusterId> {
            None
        }
    }

    /// Who of (nobody, guest, reader, member, owner, member of another tenant, operator of another project) may.
    fn allowed<A: Action>(id: A::Id) -> [bool; 7] {
        let thing = Thing(id, TenantId("a".into()));
        let operator = Actor { operator: true, ..actor("admin", Some(Role::Member)) };
        let own = [None, Some(Role::Guest), Some(Role::Reader), Some(Role::Member), Some(Role::Owner)].map(|role| actor("a", role));
        let [nobody, guest, reader, member, owner] = own;
        [nobody, guest, reader, member, owner, actor("b", Some(Role::Owner)), operator].map(|actor| actor.may::<A>(&thing).is_ok())
    }

    #[test]
    fn every_action_is_for_its_role_in_the_own_tenant_only() {
        let (cluster, operation, kubeconfig) = (ClusterId::generate(), OperationId::generate(), KubeconfigId::generate());
        let members = [false, false, false, true, true, false, false];
        let (readers, owners) = ([false, false, true, true, true, false, false], [false, false, false, false, true, false, false]);
        assert_eq!(allowed::<MembersManage>(()), owners);
        assert_eq!(allowed::<ClusterCreate>(()), members);
        assert_eq!(allowed::<ClusterDelete>(cluster), members);
        assert_eq!(allowed::<ClusterRepair>(cluster), members);
        assert_eq!(allowed::<ControlPlaneResize>(cluster), members);
        assert_eq!(allowed::<NodePoolCreate>(cluster), members);
        assert_eq!(allowed::<NodePoolResize>(cluster), members);
        assert_eq!(allowed::<NodePoolDelete>(cluster), members);
        assert_eq!(allowed::<NodeOperate>(cluster), members);
        assert_eq!(allowed::<OperationRetry>(operation), members);
        assert_eq!(allowed::<OperationCancel>(operation), members);
        assert_eq!(allowed::<KubernetesWrite>(cluster), members);
        assert_eq!(allowed::<KubeconfigRevokeAll>(cluster), members);
        assert_eq!(allowed::<KubernetesExec>(cluster), members);
        assert_eq!(allowed::<ClusterUpdate>(cluster), members);
        assert_eq!(allowed::<QuotaRequest>(()), members);
        assert_eq!(allowed::<TemplateCreate>(()), members);
        assert_eq!(allowed::<TemplateChange>(TemplateId::generate()), members);
        assert_eq!(allowed::<KubeconfigIssue>(cluster), readers);
        assert_eq!(allowed::<TokenCreate>(()), readers);
        assert_eq!(allowed::<TokenRevoke>(TokenId::generate()), readers);
        assert_eq!(allowed::<KubeconfigRevoke>(kubeconfig), readers);
    }

    #[test]
    fn a_refusal_names_what_is_missing() {
        let reader = actor("a", Some(Role::Reader));
        let refused = reader.may::<ClusterCreate>(&reader.project).unwrap_err();
        assert_eq!((refused.code(), refused), (Code::Forbidden, Forbidden::Role { permission: Permission::ClusterCreate, needed: Role::Member }));
        assert_eq!(reader.operator().unwrap_err().code(), Code::OperatorsOnly);
    }

    #[test]
    fn the_admin_view_is_for_operators_and_never_through_a_kubeconfig() {
        let operator = Actor { operator: true, ..actor("admin", None) };
        assert_eq!(operator.operator().unwrap().scope().predicate(), None);
        assert_eq!(operator.scope().predicate(), Some(""), "no role, nothing to see as an ordinary user");
        for via in [Via::Kubeconfig(KubeconfigId::generate()), Via::ApiToken(TokenId::generate())] {
            assert!(Actor { via, ..operator.clone() }.operator().is_err());
        }
        assert_eq!(actor("a", Some(Role::Reader)).scope().predicate(), Some("a"));
    }

    #[test]
    fn a_token_lets_through_what_it_was_narrowed_to_and_never_more_than_its_owner_may() {
        let cluster =
            || domain::test_support::cluster(ClusterId::generate(), "a", domain::test_support::spec(1, 1), time::OffsetDateTime::UNIX_EPOCH);
        let (one, other) = (cluster(), cluster());
        let narrowed = |permissions: &[Permission], role| Actor {
            via: Via::ApiToken(TokenId::generate()),
            narrowing: Narrowing { permissions: Some(permissions.iter().copied().collect()), clusters: Some([one.id].into()), namespaces: None },
            ..actor("a", Some(role))
        };
        let resizes = narrowed(&[Permission::NodePoolResize, Permission::ClusterCreate], Role::Member);
        assert!(resizes.may::<NodePoolResize>(&one).is_ok());
        assert!(resizes.may::<NodePoolResize>(&other).is_err(), "a cluster that was not named");
        assert!(resizes.may::<ClusterDelete>(&one).is_err(), "a permission that was not named");
        assert!(resizes.may::<ClusterCreate>(&resizes.project).is_err(), "a new cluster is not one that was named");
        assert!(narrowed(&[Permission::NodePoolResize], Role::Reader).may::<NodePoolResize>(&one).is_err(), "its owner may not");
        assert_eq!(resizes.scope().clusters(), Some([one.id.0].as_slice()));
        assert_eq!(resizes.may::<ClusterDelete>(&one).unwrap_err().code(), Code::Narrowed);
        let inside =
            Actor { narrowing: Narrowing { namespaces: Some(["web".to_owned()].into()), ..Narrowing::default() }, ..actor("a", Some(Role::Member)) };
        assert!(inside.may_inside::<KubernetesWrite>(&one, Some("web")).is_ok() && inside.may_inside::<KubernetesExec>(&one, Some("web")).is_ok());
        assert!(inside.may_inside::<KubernetesWrite>(&one, Some("other")).is_err() && inside.may_inside::<KubernetesWrite>(&one, None).is_err());
        assert!(inside.may::<ClusterDelete>(&one).is_err() && inside.may::<KubeconfigIssue>(&one).is_err(), "the cluster is around its namespaces");
    }

    #[test]
    fn an_application_credential_is_worth_its_own_roles_and_makes_nothing_that_outlives_it() {
        let by_credential = |role, given| {
            let person = actor("a", Some(role));
            Actor { rights: Rights::of(&[role], given), narrowing: Narrowing::of_credential(&[role]), ..person }
        };
        let member = by_credential(Role::Member, None);
        assert!(member.may::<ClusterCreate>(&member.project).is_ok() && member.may::<MembersManage>(&member.project).is_err());
        assert_eq!(member.may::<TokenCreate>(&member.project).unwrap_err().code(), Code::Narrowed);
        let everything = Rights { everywhere: Grade::Role(Role::Owner), places: vec![] };
        let reader = by_credential(Role::Reader, Some(everything));
        assert_eq!(reader.may::<ClusterCreate>(&reader.project).unwrap_err().code(), Code::Narrowed, "what the owner was given besides");
        let offered = [&member, &reader].map(|actor| actor.permissions(None));
        assert!(offered.iter().flatten().all(|p| !matches!(p, Permission::TokenCreate | Permission::TokenRevoke | Permission::KubeconfigIssue)));
    }

    #[test]
    fn who_was_given_a_place_is_in_reach_of_it_only_and_a_token_narrows_that_further() {
        let cluster =
            || domain::test_support::cluster(ClusterId::generate(), "a", domain::test_support::spec(1, 1), time::OffsetDateTime::UNIX_EPOCH);
        let (one, other) = (cluster(), cluster());
        let place = |namespace: &str| Place { cluster: one.id, namespace: Some(namespace.to_owned()), grade: Grade::Role(Role::Member) };
        let given = Rights { everywhere: Grade::Role(Role::Guest), places: vec![place("web"), place("shop")] };
        let person = Actor { rights: given, ..actor("a", Some(Role::Member)) };
        assert!(person.may_inside::<KubernetesWrite>(&one, Some("web")).is_ok());
        assert!(person.may_inside::<KubernetesWrite>(&other, Some("web")).is_err() && person.may::<ClusterDelete>(&one).is_err());
        assert_eq!((person.scope().predicate(), person.scope().clusters()), (Some("a"), Some([one.id.0].as_slice())));
        let token = Actor {
            narrowing: Narrowing { namespaces: Some(["shop".to_owned(), "own".to_owned()].into()), ..Narrowing::default() },
            ..person.clone()
        };
        assert_eq!(token.sight(one.id), Some(Sight::Namespaces(["shop".to_owned()].into())));
        assert_eq!(token.may_inside::<KubernetesWrite>(&one, Some("web")).unwrap_err().code(), Code::Narrowed);
        assert!(token.may_inside::<KubernetesWrite>(&one, Some("own")).is_err(), "a token gives nothing");
        let elsewhere = Actor { narrowing: Narrowing { clusters: Some([other.id].into()), ..Narrowing::default() }, ..person.clone() };
        assert_eq!(elsewhere.scope().clusters(), Some([].as_slice()));
        let member = actor("a", Some(Role::Member));
        let of_a_cluster = Actor { narrowing: elsewhere.narrowing.clone(), ..member.clone() };
        let of_a_namespace = Actor { narrowing: token.narrowing.clone(), ..member.clone() };
        assert!([&person, &elsewhere, &of_a_cluster, &of_a_namespace].iter().all(|who| who.sees_places_only()));
        assert!(!member.sees_places_only() && !actor("a", Some(Role::Reader)).sees_places_only());
        let removed = Actor { roles: vec![], ..token };
        assert!(removed.may_inside::<KubernetesWrite>(&one, Some("shop")).is_err() && !removed.has_a_place(), "Keystone has the last word");
    }
}
