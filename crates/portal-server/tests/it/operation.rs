//! What an operator sees of the service while it runs, and when it ends.

use std::{num::NonZeroU32, time::Duration};

use backup_core::MethodId;
use portal_api::{ErrorId, route};
use reqwest::Method;

use crate::common::{DAY, Service, http::Request};

#[tokio::test]
async fn a_service_is_ready_until_its_database_does_not_answer_and_is_up_all_the_same() {
    let service = Service::start().await;
    let answer = service.send(Request::get(route::READY)).await;
    assert_eq!((answer.status.as_u16(), answer.text()), (200, r#"{"status":"ready"}"#));
    service.running.service().store.close().await;
    tokio::time::sleep(Duration::from_millis(1100)).await;
    let answer = service.send(Request::get(route::READY)).await;
    answer.is_error(503, ErrorId::Error);
    assert!(answer.text().contains("database"), "{}", answer.text());
    assert!(service.send(Request::get(route::HEALTH)).await.status.is_success());
}

#[tokio::test]
async fn a_service_that_is_to_end_says_so_and_answers_until_it_has_drained() {
    let service = Service::start_with(|options| options.drain = Duration::from_secs(2)).await;
    let (ready, health) = (service.url(route::READY), service.url(route::HEALTH));
    let http = reqwest::Client::new();
    let ask = |url: &str| {
        let (http, url) = (http.clone(), url.to_owned());
        async move { Request::get("").send(&http, &url).await }
    };
    assert!(ask(&ready).await.status.is_success());
    let end = tokio::spawn(service.running.shutdown());
    tokio::time::sleep(Duration::from_millis(200)).await;
    ask(&ready).await.is_error(503, ErrorId::Error);
    assert!(ask(&health).await.status.is_success());
    end.await.unwrap();
    assert!(http.get(&health).send().await.is_err());
}

async fn with_metrics() -> Service {
    Service::start_with(|options| options.metrics = Some(([127, 0, 0, 1], 0).into())).await
}

/// The lines of the exposition.
async fn metrics(service: &Service) -> Vec<String> {
    let url = format!("http://{}/metrics", service.running.metrics_address().unwrap());
    let answer = Request::get("").send(&reqwest::Client::new(), &url).await;
    assert!(
        answer.headers["content-type"].to_str().unwrap().starts_with("application/openmetrics")
    );
    assert!(answer.text().ends_with("# EOF\n"), "{}", answer.text());
    answer.text().lines().map(str::to_owned).collect()
}

/// The value of a series, or 0 if it is not there.
async fn value(service: &Service, series: &str) -> f64 {
    let lines = metrics(service).await;
    let value = lines.iter().find_map(|line| line.strip_prefix(series)?.strip_prefix(' '));
    value.map_or(0.0, |value| value.parse().unwrap())
}

#[tokio::test]
async fn metrics_are_read_on_a_listener_of_their_own_and_only_if_there_is_one() {
    let service = with_metrics().await;
    service.send(Request::get("/metrics")).await.is_error(404, ErrorId::NotFound);
    let url = format!("http://{}{}", service.running.metrics_address().unwrap(), route::HEALTH);
    assert_eq!(Request::get("").send(&reqwest::Client::new(), &url).await.status, 404);
    assert_eq!(Service::start().await.running.metrics_address(), None);
}

#[tokio::test]
async fn metrics_say_whether_the_service_is_ready_until_it_ends() {
    let service = with_metrics().await;
    assert_eq!(value(&service, "portal_ready").await, 1.0);
    assert_eq!(value(&service, "portal_degraded").await, 0.0);
    service.running.service().store.close().await;
    tokio::time::sleep(Duration::from_millis(1100)).await;
    assert_eq!(value(&service, "portal_ready").await, 0.0);
}

#[tokio::test]
async fn requests_are_counted_by_route_and_no_id_path_or_key_is_told() {
    let service = with_metrics().await;
    let device = service.device().await;
    let sealer = device.enroll(MethodId::PASSWORD).await;
    let id = device.back_up(&service, &sealer, None, true).await;
    device.get(&service, &route::envelope(&id)).await;
    device.get(&service, "/of-my-own").await.is_error(404, ErrorId::NotFound);
    let method = Method::from_bytes(b"SECRET").unwrap();
    service.send(Request::new(method, route::HEALTH)).await;
    let count = |labels| format!("portal_request_seconds_count{{{labels}}}");
    for labels in [
        r#"method="GET",route="/v1/backups/{backup}/envelope",status="200""#,
        r#"method="POST",route="/v1/backups/{backup}/commit",status="200""#,
        r#"method="GET",route="none",status="404""#,
        r#"method="other",route="/health",status="405""#,
    ] {
        assert_eq!(value(&service, &count(labels)).await, 1.0, "{labels}");
    }
    let lines = metrics(&service).await.join("\n");
    let client = device.context.client.as_str();
    for told in [id.as_str(), client, &device.api_key[3..], "of-my-own", "SECRET"] {
        assert!(!lines.contains(told), "{told}: {lines}");
    }
}

#[tokio::test]
async fn what_has_not_happened_yet_is_counted_as_nothing() {
    let lines = metrics(&with_metrics().await).await;
    let at_zero = |name: &str| {
        let of_name =
            lines.iter().filter(|line| line.starts_with(&format!("portal_{name}_total{{")));
        of_name.inspect(|line| assert!(line.ends_with(" 0"), "{line}")).count()
    };
    assert_eq!(
        [at_zero("backup_sets"), at_zero("sent_away"), at_zero("webhooks_asked")],
        [4, 8, 7]
    );
}

#[tokio::test]
async fn what_becomes_of_backup_sets_is_counted_and_so_are_commits() {
    let service = with_metrics().await;
    let device = service.device().await;
    let fate = |fate| format!("portal_backup_sets_total{{fate=\"{fate}\"}}");
    let sealer = device.enroll(MethodId::PASSWORD).await;
    let first = device.back_up(&service, &sealer, None, true).await;
    let second = device.back_up(&service, &sealer, Some(&first), true).await;
    assert_eq!(value(&service, &fate("completed")).await, 2.0);
    device.begin(service.running.service(), &device.enroll(MethodId::CUSTOM).await).await;
    service.wait(31 * DAY).await;
    assert_eq!(device.backups(&service).await, std::slice::from_ref(&second));
    assert_eq!(value(&service, &fate("retired")).await, 1.0);
    assert_eq!(value(&service, &fate("expired")).await, 1.0);
    let other = device.enroll(MethodId::GDRIVE).await;
    device.back_up(&service, &other, None, true).await;
    device.revoke(&service, &[&second]).await.is_done();
    assert_eq!(value(&service, &fate("revoked")).await, 1.0);
    assert!(value(&service, "portal_commit_seconds_count").await >= 5.0);
}

#[tokio::test]
async fn a_key_that_asks_too_often_is_told_when_to_return_and_others_are_answered() {
    let service = Service::start_with(|options| {
        options.metrics = Some(([127, 0, 0, 1], 0).into());
        options.limits.key_rate = NonZeroU32::new(3);
    })
    .await;
    let (greedy, modest) = (service.device().await, service.device().await);
    for _ in 0..3 {
        assert!(greedy.get(&service, route::CLIENT).await.status.is_success());
    }
    let answer = greedy.get(&service, route::CLIENT).await;
    answer.is_error(429, ErrorId::Error);
    let seconds: u64 = answer.headers["retry-after"].to_str().unwrap().parse().unwrap();
    assert!((1..=20).contains(&seconds), "{seconds}");
    assert!(modest.get(&service, route::CLIENT).await.status.is_success());
    assert_eq!(value(&service, r#"portal_sent_away_total{reason="key_rate"}"#).await, 1.0);
}

#[tokio::test]
async fn an_address_that_asks_too_often_is_sent_away_whatever_its_keys_but_sees_how_it_is() {
    let service =
        Service::start_with(|options| options.limits.address_rate = NonZeroU32::new(3)).await;
    for number in 0..3 {
        let key = format!("ck_{number}");
        service.send(Request::get(route::CLIENT).by(&key)).await.is_error(401, ErrorId::AuthFailed);
    }
    let answer = service.send(Request::get(route::CLIENT).by("ck_other")).await;
    answer.is_error(429, ErrorId::Error);
    for route in [route::HEALTH, route::READY] {
        assert!(service.send(Request::get(route)).await.status.is_success(), "{route}");
    }
}

#[tokio::test]
async fn work_that_waits_or_is_sent_away_is_seen() {
    let service = Service::start_with(|options| {
        options.metrics = Some(([127, 0, 0, 1], 0).into());
        options.limits.costly = 1;
        options.limits.costly_wait = Duration::from_millis(500);
    })
    .await;
    let costly = service.running.service().costly.clone();
    let place = costly.place().await.unwrap();
    assert_eq!(value(&service, "portal_costly_running").await, 1.0);
    let other = tokio::spawn(async move { costly.place().await.map(drop) });
    tokio::time::sleep(Duration::from_millis(100)).await;
    assert_eq!(value(&service, "portal_costly_waiting").await, 1.0);
    assert!(other.await.unwrap().is_err());
    drop(place);
    assert_eq!(value(&service, "portal_costly_waiting").await, 0.0);
    assert_eq!(value(&service, "portal_costly_running").await, 0.0);
}
