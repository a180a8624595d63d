//! The document, its page, the console's files and the headers that every answer carries.

use crate::house::House;

#[actix_web::test]
async fn the_document_and_its_page_are_served_without_foreign_assets() {
    let house = House::new().await;
    let document = house.call(None, "GET", "/api/openapi.json", None).await;
    assert_eq!(document.body["openapi"], "3.1.0");
    for path in ["/api/docs", "/api/docs/docs.css", "/api/docs/docs.js"] {
        let answer = house.call(None, "GET", path, None).await;
        assert_eq!(answer.status, 200);
        let text = answer.body.to_string();
        assert!(!text.contains("http://") && !text.contains("https://"), "{path} loads from elsewhere");
    }
}

#[actix_web::test]
async fn every_answer_has_an_id_and_the_security_headers() {
    let house = House::new().await;
    for path in ["/healthz", "/api/v1/clusters", "/", "/clusters/7", "/nothing.js"] {
        let answer = house.call(None, "GET", path, None).await;
        assert!(answer.headers.contains_key("x-request-id"), "{path}");
        let policy = answer.headers["content-security-policy"].to_str().unwrap();
        assert!(policy.contains("script-src 'self'") && !policy.contains("script-src 'self' 'unsafe"), "{policy}");
        assert_eq!(answer.headers["x-content-type-options"], "nosniff");
    }
}

#[actix_web::test]
async fn the_console_is_served_at_every_address_of_its_own() {
    let house = House::new().await;
    for path in ["/", "/clusters", "/clusters/123/nodes"] {
        let answer = house.call(None, "GET", path, None).await;
        assert_eq!((answer.status, answer.content_type.as_str()), (200, "text/html; charset=utf-8"), "{path}");
        assert_eq!(answer.headers["cache-control"], "no-cache");
        let tag = answer.headers["etag"].to_str().unwrap().to_owned();
        assert_eq!(house.call_with(&[("if-none-match", &tag)], "GET", path, None).await.status, 304);
    }
    assert_eq!(house.call(None, "GET", "/assets/nothing-1234.js", None).await.status, 404);
}
