//! The one list of routes. What is not here does not exist; what is here is in the document, the Kubernetes pass-through excepted.

use crate::errors::Problem;
use crate::{
    about, addons, admin, admin_catalogue, admin_health, admin_operations, admin_people, announcements, api_access, audit, catalogue, certificates,
    clusters, control_plane, costs, credential_sign_in, device_sign_ins, docs, events, federation, gate, health, keys, kubeconfig_exec, kubeconfigs,
    kubernetes, members, node_bootstrap, node_pools, node_verbs, nodes, operations, orphans, pauses, pool_marks, projects, quota, quota_requests,
    roles, session, settings, storage_classes, templates, tenants, tokens, volumes, write_offs,
};
use actix_web::web::{PathConfig, resource};
use utoipa_actix_web::scope;
use utoipa_actix_web::service_config::ServiceConfig;

/// All routes with what they need; for the server and for tests.
pub fn configure(config: &mut actix_web::web::ServiceConfig) {
    routes(&mut ServiceConfig::new(config));
    config.app_data(PathConfig::default().error_handler(|_, _| Problem::not_found().into()));
    config.service(resource(format!("{}{{rest:.*}}", gate::PREFIX)).to(gate::pass));
}

/// Every documented route.
pub fn routes(config: &mut ServiceConfig<'_>) {
    config.service(scope("/api/v1").configure(version_1));
    config.service(scope("/node/v1").configure(node_version_1));
    config.service(health::health_live).service(health::health_ready);
    config.service(docs::openapi_get).service(docs::docs_get).service(docs::docs_style).service(docs::docs_script);
}

fn version_1(config: &mut ServiceConfig<'_>) {
    config.service(session::session_create).service(session::session_get).service(session::session_switch).service(session::session_delete);
    config.service(credential_sign_in::session_create_by_credential);
    config.service(federation::federation_list).service(federation::federation_begin).service(federation::session_create_by_federation);
    config.service(about::about_get).service(projects::project_list).service(templates::template_list);
    config.service(templates::template_create).service(templates::template_update).service(templates::template_delete).service(costs::cost_get);
    config.service(catalogue::flavor_list).service(catalogue::image_list).service(catalogue::zone_list);
    config.service(catalogue::volume_type_list).service(catalogue::network_list).service(catalogue::version_list);
    config.service(catalogue::project_network_list).service(catalogue::key_pair_list).service(catalogue::load_balancer_provider_list);
    config.service(clusters::cluster_list).service(clusters::cluster_create).service(clusters::cluster_create_plan);
    config
        .service(clusters::cluster_get)
        .service(clusters::cluster_update)
        .service(clusters::cluster_delete_plan)
        .service(clusters::cluster_delete)
        .service(clusters::resource_list)
        .service(volumes::volume_list);
    config.service(node_pools::node_pool_list).service(node_pools::node_pool_resize_plan).service(node_pools::node_pool_resize);
    config.service(node_pools::node_pool_create_plan).service(control_plane::control_plane_resize_plan);
    config.service(node_pools::node_pool_create).service(node_pools::node_pool_delete).service(pool_marks::node_pool_mark);
    config.service(node_verbs::node_cordon).service(node_verbs::node_uncordon).service(node_verbs::node_drain);
    config.service(node_verbs::node_reboot).service(node_verbs::node_replace).service(node_verbs::node_update);
    config.service(addons::addon_list).service(addons::credential_rotate);
    config.service(control_plane::control_plane_resize).service(control_plane::cluster_repair).service(control_plane::encryption_key_rotate);
    config.service(control_plane::api_audit_change).service(api_access::api_access_change);
    config.service(nodes::node_list).service(nodes::node_console);
    config.service(kubeconfigs::kubeconfig_list).service(kubeconfigs::kubeconfig_issue).service(kubeconfigs::kubeconfig_revoke);
    config.service(kubeconfigs::kubeconfig_revoke_all).service(kubeconfigs::member_kubeconfig_revoke_all).service(kubeconfig_exec::kubeconfig_exec);
    config.service(certificates::certificate_list).service(certificates::certificate_issue);
    config.service(kubernetes::kubernetes_node_list).service(kubernetes::namespace_list);
    config.service(kubernetes::deployment_list).service(kubernetes::pod_list);
    config.service(storage_classes::storage_class_list).service(storage_classes::storage_class_create);
    config.service(storage_classes::storage_class_default).service(storage_classes::storage_class_delete);
    config.service(operations::operation_list).service(operations::operation_get).service(operations::operation_events);
    config.service(operations::operation_retry).service(operations::operation_cancel).service(operations::receipt_get);
    config.service(tokens::token_list).service(tokens::token_create).service(tokens::token_revoke);
    config.service(members::member_list).service(members::member_give).service(members::member_reset);
    config.service(roles::role_list).service(roles::role_create).service(roles::role_update).service(roles::role_delete);
    // The fixed address before the one with a code in it.
    config.service(device_sign_ins::device_begin).service(device_sign_ins::device_token);
    config.service(device_sign_ins::device_get).service(device_sign_ins::device_answer);
    config.service(events::event_stream);
    config.service(audit::audit_list).service(audit::audit_export).service(audit::admin_audit_list).service(audit::admin_audit_export);
    config.service(quota::quota_get).service(quota_requests::quota_request_list).service(quota_requests::quota_request_create);
    config.service(quota_requests::quota_request_withdraw).service(quota_requests::admin_quota_request_list);
    config.service(quota_requests::admin_quota_request_decide);
    config.service(tenants::admin_tenant_list).service(tenants::admin_tenant_get).service(tenants::admin_tenant_update);
    config.service(admin_people::admin_people_list).service(admin_people::admin_person_cut_off);
    config.service(admin_people::admin_access_list).service(admin_people::admin_access_end);
    config.service(admin_operations::admin_operation_list).service(admin_operations::admin_operation_retry);
    config
        .service(admin_operations::admin_operation_cancel)
        .service(admin_operations::admin_receipt_get)
        .service(pauses::queue_get)
        .service(pauses::queue_pause);
    config.service(pauses::queue_resume).service(pauses::cluster_pause).service(pauses::cluster_resume);
    config.service(announcements::announcement_list).service(announcements::admin_announcement_list);
    config.service(announcements::admin_announcement_create).service(announcements::admin_announcement_update);
    config.service(announcements::admin_announcement_end).service(admin_catalogue::admin_catalogue_get);
    config.service(settings::settings_get).service(settings::settings_test).service(settings::settings_save).service(settings::settings_history);
    config
        .service(admin::admin_cluster_list)
        .service(admin::admin_cluster_totals)
        .service(write_offs::cluster_write_off)
        .service(orphans::orphan_list)
        .service(orphans::orphan_decide)
        .service(keys::key_report)
        .service(admin_health::admin_health_get);
}

fn node_version_1(config: &mut ServiceConfig<'_>) {
    config.service(node_bootstrap::node_bundle).service(node_bootstrap::node_progress);
    config.service(node_bootstrap::node_done).service(node_bootstrap::node_failed);
}
