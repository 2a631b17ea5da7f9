//! What an app says by Portal's own routes.

use backup_core::SharePairId;
use portal_api::route;
use reqwest::Method;
use serde_json::{Value, json};

use crate::common::{
    Service,
    device::Device,
    http::{Answer, Request},
};

pub const SHARE: &str = "STORED_CLIENT_BACKUP_SHARE";
pub const KEY: &str = "STORED_CLIENT_BACKUP_SHARE_KEY";

pub async fn say(service: &Service, key: &str, method: Method, path: &str, body: &Value) -> Answer {
    service.send(Request::new(method, path).by(key).json(&body.to_string())).await
}

impl Device {
    pub async fn store_cipher_text(
        &self,
        service: &Service,
        pair: &SharePairId,
        text: &str,
    ) -> Answer {
        let body = json!({ "clientCipherText": text });
        say(service, &self.api_key, Method::PATCH, &route::backup_pair(pair), &body).await
    }

    pub async fn notice(&self, service: &Service, pairs: &[&str], status: &str) -> Answer {
        let body = json!({ "backupSharePairIds": pairs, "status": status });
        say(service, &self.api_key, Method::PATCH, route::BACKUP_PAIR_NOTICES, &body).await
    }

    pub async fn stored(&self, service: &Service, path: &str, method: &str) -> Answer {
        let body = json!({ "backupMethod": method, "success": true });
        say(service, &self.api_key, Method::PUT, path, &body).await
    }
}
