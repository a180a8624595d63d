//! The one list of routes. What is not here does not exist; what is here is in the document, the Kubernetes pass-through excepted.

use crate::errors::Problem;
use crate::{
    about, addons, admin, catalogue, clusters, control_plane, costs, docs, events, gate, health, kubeconfigs, kubernetes, node_bootstrap, node_pools,
    node_verbs, nodes, operations, orphans, projects, session, templates,
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
    config.service(health::health_live).service(health::health_ready).service(health::metrics_get);
    config.service(docs::openapi_get).service(docs::docs_get).service(docs::docs_style).service(docs::docs_script);
}

fn version_1(config: &mut ServiceConfig<'_>) {
    config.service(session::session_create).service(session::session_get).service(session::session_switch).service(session::session_delete);
    config.service(about::about_get).service(projects::project_list).service(templates::template_list);
    config.service(templates::template_create).service(templates::template_update).service(templates::template_delete).service(costs::cost_get);
    config.service(catalogue::flavor_list).service(catalogue::image_list).service(catalogue::zone_list);
    config.service(catalogue::volume_type_list).service(catalogue::network_list).service(catalogue::version_list);
    config.service(catalogue::project_network_list).service(catalogue::key_pair_list);
    config.service(clusters::cluster_list).service(clusters::cluster_create).service(clusters::cluster_create_plan);
    config
        .service(clusters::cluster_get)
        .service(clusters::cluster_update)
        .service(clusters::cluster_delete_plan)
        .service(clusters::cluster_delete)
        .service(clusters::resource_list);
    config.service(node_pools::node_pool_list).service(node_pools::node_pool_resize_plan).service(node_pools::node_pool_resize);
    config.service(node_pools::node_pool_create).service(node_pools::node_pool_delete).service(control_plane::control_plane_resize);
    config.service(node_verbs::node_cordon).service(node_verbs::node_uncordon).service(node_verbs::node_drain);
    config.service(node_verbs::node_reboot).service(node_verbs::node_replace).service(control_plane::cluster_repair);
    config.service(addons::addon_list).service(addons::credential_rotate);
    config.service(nodes::node_list).service(nodes::node_console);
    config.service(kubeconfigs::kubeconfig_list).service(kubeconfigs::kubeconfig_issue).service(kubeconfigs::kubeconfig_revoke);
    config.service(kubernetes::kubernetes_node_list).service(kubernetes::namespace_list);
    config.service(kubernetes::deployment_list).service(kubernetes::pod_list);
    config.service(operations::operation_list).service(operations::operation_get).service(operations::operation_events);
    config.service(operations::operation_retry).service(operations::operation_cancel).service(operations::receipt_get);
    config.service(events::event_stream);
    config.service(admin::admin_cluster_list).service(orphans::orphan_list).service(orphans::orphan_decide);
}

fn node_version_1(config: &mut ServiceConfig<'_>) {
    config.service(node_bootstrap::node_bundle).service(node_bootstrap::node_progress);
    config.service(node_bootstrap::node_done).service(node_bootstrap::node_failed);
}
