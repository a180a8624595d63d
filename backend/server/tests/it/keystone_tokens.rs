//! Tokens of Keystone's (`X-Auth-Token`), and what is made up in their place.

use crate::house::House;
use std::time::Instant;

/// The answer to who comes with a token from an address of this machine.
async fn look(house: &House, address: &str, token: &str) -> u16 {
    let client = reqwest::Client::builder().no_proxy().local_address(Some(address.parse().unwrap())).build().unwrap();
    let request = client.get(format!("{}/api/v1/clusters", house.url)).header("x-auth-token", token);
    request.send().await.unwrap().status().as_u16()
}

/// How often Keystone was asked what a token is worth.
fn asked(house: &House) -> u64 {
    house.cloud.calls(local_cloud::Service::Identity, "GET", "/identity/v3/auth/tokens")
}

#[actix_web::test]
async fn a_token_that_keystone_refused_is_not_asked_about_again_at_once() {
    let house = House::new().await;
    let before = asked(&house);
    for _ in 0..10 {
        assert_eq!(look(&house, "127.0.0.1", "nonsense").await, 401);
    }
    assert_eq!(asked(&house) - before, 1);
}

#[actix_web::test]
async fn made_up_tokens_from_one_address_are_slowed_down_and_hold_up_nobody_elsewhere() {
    let house = House::new().await;
    let (before, mut statuses) = (asked(&house), Vec::new());
    while statuses.last() != Some(&429) && statuses.len() < 400 {
        statuses.push(look(&house, "127.1.1.1", &format!("nonsense-{}", statuses.len())).await);
    }
    assert!(statuses.starts_with(&[401]) && statuses.ends_with(&[429]), "{statuses:?}");
    assert_eq!(asked(&house) - before, statuses.len() as u64 - 1, "who has to wait costs Keystone nothing");
    // However many good ones come from an address, they count for nothing.
    for n in 0..70 {
        let good = house.keystone_token("member-a", "tenant-a").await;
        assert_eq!(look(&house, "127.2.2.2", &good).await, 200, "{n}");
    }
}

#[actix_web::test]
async fn made_up_tokens_from_many_addresses_cost_keystone_no_more_than_agreed_and_hold_up_no_address_that_good_ones_came_from() {
    // One look at a stranger's token in thirty seconds.
    const A_MINUTE: u32 = 2;
    let house = House::new().await.beside_limited(A_MINUTE).await;
    let good = [house.keystone_token("member-a", "tenant-a").await, house.keystone_token("member-a", "tenant-a").await];
    assert_eq!(look(&house, "127.2.2.2", &good[0]).await, 200);
    let (before, begun) = (asked(&house), Instant::now());
    for n in 0..200 {
        let status = look(&house, &format!("127.3.{n}.1"), &format!("nonsense-{n}")).await;
        assert!(matches!(status, 401 | 429), "{status}");
    }
    let minutes = begun.elapsed().as_secs() / 60 + 1;
    assert!(asked(&house) - before <= u64::from(A_MINUTE) * (minutes + 1), "Keystone was asked {} times", asked(&house) - before);
    assert_eq!(look(&house, "127.2.2.2", &good[1]).await, 200);
}

#[actix_web::test]
async fn who_was_gone_is_back_at_once_when_they_come_with_a_token_of_keystones() {
    let house = House::new().await;
    let member = house.sign_in("member-a").await;
    let (cluster, _api) = house.cluster_with_api(&member, "web").await;
    let (_, bearer) = house.kubeconfig(&member, &cluster).await;
    let (url, http) = (format!("{}/k8s/clusters/{cluster}/api", house.url), reqwest::Client::new());
    let gate = async || http.get(&url).bearer_auth(&bearer).send().await.unwrap().status().as_u16();
    assert_eq!(gate().await, 200);
    // As when Keystone said a moment ago that they have no place in the project.
    house.database.execute("UPDATE kubeconfigs SET roles = '[]', checked_at = now()").await;
    assert_eq!(gate().await, 401);
    let strange = house.keystone_token("member-b", "tenant-b").await;
    assert_eq!((look(&house, "127.0.0.1", &strange).await, gate().await), (200, 401), "somebody else");
    let own = house.keystone_token("member-a", "tenant-a").await;
    assert_eq!((look(&house, "127.0.0.1", &own).await, gate().await), (200, 200));
}
