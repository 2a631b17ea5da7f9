//! The routes, who asks by them, and the tokens that go with their answers.

use std::sync::{Arc, Mutex};

use axum::{
    Json, Router,
    body::Body,
    extract::{Path, RawQuery, State as Shared},
    http::{HeaderValue, Method, StatusCode, header},
    response::{IntoResponse, Response},
    routing::{any, get},
};

use super::{
    calls::perform,
    records::{Database, State},
    refusal::Refusal,
    request::{Place, Request},
};
use crate::{
    fault::{self, Kind},
    record::lock,
    server::cut_short,
};

type Double = Arc<Mutex<State>>;

pub(super) fn router(double: Double) -> Router {
    Router::new()
        .route("/database/1/{container}/{environment}/{database}/{*operation}", any(serve))
        .route("/signin", get(sign_in))
        .with_state(double)
}

async fn serve(
    Shared(double): Shared<Double>,
    method: Method,
    Path(place): Path<Place>,
    RawQuery(query): RawQuery,
    body: Body,
) -> Response {
    let under_way = lock(&double).under_way.clone();
    let Some(body) = under_way.whole(body).await else { return cut_short() };
    match Request::read(&method, place, query.as_deref().unwrap_or_default(), &body) {
        Ok(asked) => answer(&mut lock(&double), &asked),
        Err(refusal) => refusal.into_response(),
    }
}

/// Answers one call: notes it, lets it fail if it is to fail, checks who asks.
fn answer(state: &mut State, asked: &Request) -> Response {
    state.calls.push(asked.call);
    match fault::next(&mut state.faults, &asked.call) {
        None => as_user(state, asked),
        Some(Kind::AnswerLost) => {
            as_user(state, asked);
            cut_short()
        }
        Some(Kind::Refusal { status, reason, retry_after, after_effect }) => {
            if after_effect {
                as_user(state, asked);
            }
            let refusal = Refusal::new(status, reason, "This is injected.");
            refusal.with_retry_after(retry_after).into_response()
        }
        Some(Kind::Answer { status, body }) => {
            (StatusCode::from_u16(status).expect("a status"), body).into_response()
        }
    }
}

/// Every answer to a token, refusals too, carries the next one.
fn as_user(state: &mut State, asked: &Request) -> Response {
    let Some(token) = &asked.web_token else {
        return Refusal::sign_in(state.begin_sign_in()).into_response();
    };
    let Some((account, next)) = state.redeem(token) else {
        let reason = "web auth token is not valid";
        return Refusal::new(401, "AUTHENTICATION_FAILED", reason).into_response();
    };
    let database = Database { account, environment: asked.environment.clone() };
    let performed = perform(state, &database, asked);
    let mut response =
        performed.map_or_else(IntoResponse::into_response, |answer| Json(answer).into_response());
    let next = HeaderValue::from_str(&next).expect("a token is ASCII");
    response.headers_mut().insert("X-Apple-CloudKit-Web-Auth-Token", next);
    response
}

/// The page on which `account` signs in. It comes back with a token whose `+` stands as it is, as
/// Apple's was seen to.
async fn sign_in(Shared(double): Shared<Double>, RawQuery(query): RawQuery) -> Response {
    let query = query.unwrap_or_default();
    let parameter = |wanted: &str| {
        let mut all = form_urlencoded::parse(query.as_bytes()).into_owned();
        all.find(|(name, _)| name == wanted).map(|(_, value)| value)
    };
    let mut state = lock(&double);
    let known = parameter("flow").is_some_and(|flow| state.flows.remove(&flow));
    let (true, Some(account)) = (known, parameter("account")) else {
        return (StatusCode::BAD_REQUEST, "This page is of no use.").into_response();
    };
    let Some(callback) = state.callback.clone() else {
        return "The token is posted to the window that opened this one.".into_response();
    };
    let location = format!("{callback}?ckWebAuthToken={}", state.grant(&account));
    (StatusCode::FOUND, [(header::LOCATION, location)]).into_response()
}
