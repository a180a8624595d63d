//! The pass-through for kubectl: what is refused before it reaches a cluster.

use crate::house::House;

#[actix_web::test]
async fn spdy_is_refused_with_words_instead_of_hanging() {
    let house = House::new().await;
    let member = house.sign_in("member-a").await;
    let (cluster, _api) = house.cluster_with_api(&member, "web").await;
    let (_, token) = house.kubeconfig(&member, &cluster).await;
    let exec = format!("/k8s/clusters/{cluster}/api/v1/namespaces/default/pods/web/exec?command=ls");
    let bearer = format!("Bearer {token}");
    let spdy = [("connection", "Upgrade"), ("upgrade", "SPDY/3.1")];
    let refused = house.call_with(&[&[("authorization", bearer.as_str())], &spdy[..]].concat(), "POST", &exec, None).await;
    assert_eq!((refused.status, refused.body["kind"].as_str()), (400, Some("Status")));
    assert!(refused.body["message"].as_str().unwrap().contains("kubectl 1.31"), "{}", refused.body);
    assert_eq!(house.call_with(&spdy, "POST", &exec, None).await.status, 401, "a stranger hears nothing of it");
}
