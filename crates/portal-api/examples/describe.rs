//! Prints the description of the service: `cargo xtask openapi` keeps it in `openapi.json`.

fn main() {
    print!("{}", portal_api::description::text());
}
