// Verifies a signed request with the library of the Standard Webhooks specification.

"use strict";

const { Webhook } = require("standardwebhooks");

const { secret, headers, body } = JSON.parse(process.argv[2]);
const webhook = new Webhook(secret);
webhook.verify(body, headers);

let isRefused = false;
try {
  webhook.verify(body.replace("{", "{ "), headers);
} catch {
  isRefused = true;
}
if (isRefused) {
  console.log("verified, and no other body");
}
