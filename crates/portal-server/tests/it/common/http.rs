//! Requests and answers, down to their headers.

use portal_api::{ErrorBody, ErrorId};
use reqwest::{Client, Method, StatusCode, header::HeaderMap};
use serde::de::DeserializeOwned;

/// A request.
#[derive(Clone, Debug)]
pub struct Request<'a> {
    pub method: Method,
    pub path: &'a str,
    pub headers: Vec<(&'static str, String)>,
    pub body: Vec<u8>,
}

/// An answer, with all of its body.
#[derive(Debug)]
pub struct Answer {
    pub status: StatusCode,
    pub headers: HeaderMap,
    pub body: Vec<u8>,
}

impl<'a> Request<'a> {
    pub fn new(method: Method, path: &'a str) -> Self {
        Self { method, path, headers: Vec::new(), body: Vec::new() }
    }

    pub fn get(path: &'a str) -> Self {
        Self::new(Method::GET, path)
    }

    pub fn post(path: &'a str) -> Self {
        Self::new(Method::POST, path)
    }

    pub fn by(self, key: &str) -> Self {
        self.with("authorization", format!("Bearer {key}"))
    }

    pub fn with(mut self, name: &'static str, value: impl Into<String>) -> Self {
        self.headers.retain(|(known, _)| *known != name);
        self.headers.push((name, value.into()));
        self
    }

    pub fn without(mut self, name: &str) -> Self {
        self.headers.retain(|(known, _)| *known != name);
        self
    }

    pub fn body(mut self, media_type: &str, body: impl Into<Vec<u8>>) -> Self {
        self.body = body.into();
        self.with("content-type", media_type)
    }

    pub fn json(self, body: &str) -> Self {
        self.body("application/json", body)
    }

    pub async fn send(&self, http: &Client, url: &str) -> Answer {
        let mut request = http.request(self.method.clone(), url).body(self.body.clone());
        for (name, value) in &self.headers {
            request = request.header(*name, value);
        }
        let answer = request.send().await.unwrap();
        let (status, headers) = (answer.status(), answer.headers().clone());
        Answer { status, headers, body: answer.bytes().await.unwrap().to_vec() }
    }
}

impl Answer {
    pub fn json<T: DeserializeOwned>(&self) -> T {
        assert!(self.status.is_success(), "{self:?}");
        serde_json::from_slice(&self.body).unwrap()
    }

    pub fn text(&self) -> &str {
        str::from_utf8(&self.body).unwrap()
    }

    /// Asserts that it is an error in Portal's shape.
    #[track_caller]
    pub fn is_error(&self, status: u16, id: ErrorId) {
        assert_eq!(self.status.as_u16(), status, "{self:?}");
        let ErrorBody { error } = serde_json::from_slice(&self.body).unwrap();
        assert_eq!((error.id, error.code), (id, status), "{self:?}");
        assert!(!error.message.is_empty());
        assert_eq!(self.headers["content-type"], "application/json");
        assert_eq!(self.headers["x-portal-trace-id"].len(), 36);
    }

    #[track_caller]
    pub fn is_done(&self) {
        assert_eq!(self.status, StatusCode::NO_CONTENT, "{}", self.text());
        assert!(self.body.is_empty());
    }
}
