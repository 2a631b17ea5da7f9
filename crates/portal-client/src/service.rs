//! The service, over HTTP: what is asked of it, and how often.

mod calls;
mod http;
mod request;
mod retry;
mod url;

pub(crate) use self::{
    calls::{PostRequest, Service, json, parse},
    http::{Http, HttpOptions},
    request::Request,
};
