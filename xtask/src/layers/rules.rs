//! The rules of the architecture, over a plain graph: no I/O.

use std::collections::BTreeSet;

pub(super) const CORE: &str = "backup-core";

/// A crate of ours, what it may import of ours, and what its tests may import besides.
///
/// A name that ends in `*` stands for all that begin so. The first row that fits counts.
struct Layer(&'static str, &'static [&'static str], &'static [&'static str]);

/// From the inside out. A new crate is a new row, and perhaps an entry in others.
const LAYERS: &[Layer] = &[
    Layer("backup-core", &[], &[]),
    Layer("backup-testkit", &["backup-core"], &[]),
    Layer("backup-cloud", &["backup-core"], &[]),
    Layer("backup-methods-gdrive", WITH_CLOUD, &["backup-testkit"]),
    Layer("backup-methods-icloud", WITH_CLOUD, &["backup-testkit"]),
    Layer("backup-methods-passkey", WITH_CLOUD, &["backup-testkit"]),
    Layer("backup-methods-*", &["backup-core"], &["backup-testkit"]),
    Layer("portal-mpc", &["backup-core"], &[]),
    Layer("portal-import", &["backup-core", "portal-mpc"], &[]),
    Layer("portal-api", &["backup-core", "portal-mpc"], &[]),
    Layer("portal-keys", &["backup-core"], &["backup-testkit"]),
    Layer("portal-client", &["backup-core", "portal-mpc", "portal-api"], &["backup-testkit"]),
    Layer("portal-webhook", &["backup-core", "portal-api", "portal-keys"], &["backup-testkit"]),
    Layer(
        "portal-server",
        &["backup-core", "portal-mpc", "portal-api", "portal-keys", "backup-methods-passkey"],
        &["backup-testkit"],
    ),
    Layer("portal-cli", &["*"], &[]),
    Layer("portal-tests", &["*"], &[]),
    Layer("portal-examples", &["*"], &[]),
    Layer("xtask", &[], &[]),
];

/// What a method may import that keeps keys with a service.
const WITH_CLOUD: &[&str] = &["backup-core", "backup-cloud"];

/// Async runtimes, HTTP and TLS: nothing that a wallet must take along to open a backup.
const NOT_IN_CORE: &[&str] = &[
    "async-std",
    "aws-lc-*",
    "hyper",
    "hyper-*",
    "mio",
    "native-tls",
    "openssl",
    "openssl-*",
    "reqwest",
    "ring",
    "rustls",
    "rustls-*",
    "smol",
    "socket2",
    "tokio",
    "tokio-*",
    "ureq",
];

/// One TLS, that of aws-lc: two in one program leave rustls unable to choose.
const NOWHERE: &[&str] = &["native-tls", "openssl-sys", "ring"];

const MOST_CRATES_IN_CORE: usize = 59;

#[derive(Debug, Default)]
pub(super) struct Graph {
    pub(super) crates: Vec<Crate>,
    /// What the core pulls in with all its features, for all targets.
    pub(super) core_tree: BTreeSet<String>,
    /// What the whole workspace pulls in, tests included.
    pub(super) everything: BTreeSet<String>,
}

#[derive(Debug)]
pub(super) struct Crate {
    pub(super) name: String,
    pub(super) imports: Vec<Import>,
}

#[derive(Debug)]
pub(super) struct Import {
    pub(super) name: String,
    pub(super) for_tests: bool,
}

pub(super) fn violations(graph: &Graph) -> Vec<String> {
    let mut violations: Vec<_> = graph.crates.iter().flat_map(wrong_arrows).collect();
    violations.extend(forbidden(&graph.core_tree, NOT_IN_CORE, CORE));
    violations.extend(forbidden(&graph.everything, NOWHERE, "the workspace"));
    let count = graph.core_tree.len();
    if count > MOST_CRATES_IN_CORE {
        violations.push(format!("{CORE} pulls in {count} crates, over {MOST_CRATES_IN_CORE}"));
    }
    violations
}

fn wrong_arrows(from: &Crate) -> Vec<String> {
    let name = &from.name;
    let Some(Layer(_, imports, tests_import)) = LAYERS.iter().find(|layer| fits(layer.0, name))
    else {
        return vec![format!("{name} has no layer: add it to LAYERS in {}", file!())];
    };
    let allowed = |import: &Import| {
        any_fits(imports, &import.name) || import.for_tests && any_fits(tests_import, &import.name)
    };
    let wrong = from.imports.iter().filter(|import| !allowed(import));
    wrong.map(|import| format!("{name} must not import {}", import.name)).collect()
}

fn forbidden(tree: &BTreeSet<String>, patterns: &[&str], place: &str) -> Vec<String> {
    let found = tree.iter().filter(|name| any_fits(patterns, name));
    found.map(|name| format!("{name} must not be in {place}: cargo tree -i {name}")).collect()
}

fn any_fits(patterns: &[&str], name: &str) -> bool {
    patterns.iter().any(|pattern| fits(pattern, name))
}

fn fits(pattern: &str, name: &str) -> bool {
    match pattern.strip_suffix('*') {
        Some(start) => name.starts_with(start),
        None => name == pattern,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_graph_that_follows_the_arrows_is_in_order() {
        let graph = Graph {
            crates: vec![
                importing("backup-core", &[]),
                importing("backup-methods-password", &["backup-core"]),
                importing("portal-cli", &["portal-server", "backup-methods-password"]),
            ],
            core_tree: set(&["aes-gcm", "hpke"]),
            everything: set(&["aes-gcm", "tokio", "aws-lc-rs"]),
        };
        assert_eq!(violations(&graph), Vec::<String>::new());
    }

    #[test]
    fn the_core_imports_nothing_of_ours() {
        let graph = of_crates(vec![importing("backup-core", &["portal-api"])]);
        assert_eq!(violations(&graph), ["backup-core must not import portal-api"]);
    }

    #[test]
    fn a_method_imports_no_other_method() {
        let method = importing("backup-methods-gdrive", &["backup-methods-keychain"]);
        assert_eq!(violations(&of_crates(vec![method])).len(), 1);
    }

    #[test]
    fn only_methods_of_cloud_providers_share_what_reaches_them() {
        for (name, wrong) in [("gdrive", 0), ("icloud", 0), ("password", 1), ("keychain", 1)] {
            let method = importing(&format!("backup-methods-{name}"), &["backup-cloud"]);
            assert_eq!(violations(&of_crates(vec![method])).len(), wrong, "{name}");
        }
        let shared = importing("backup-cloud", &["backup-methods-gdrive"]);
        assert_eq!(violations(&of_crates(vec![shared])).len(), 1);
    }

    #[test]
    fn the_client_imports_no_method() {
        let client = importing("portal-client", &["backup-methods-password"]);
        assert_eq!(violations(&of_crates(vec![client])).len(), 1);
    }

    #[test]
    fn recovery_cannot_fall_back_to_portals_blobs() {
        for name in ["portal-client", "portal-server", "backup-core", "backup-methods-gdrive"] {
            let found = violations(&of_crates(vec![importing(name, &["portal-import"])]));
            assert_eq!(found, [format!("{name} must not import portal-import")]);
        }
    }

    #[test]
    fn the_server_imports_the_passkey_method_and_no_other() {
        let imports = ["backup-methods-passkey", "backup-methods-icloud"];
        let graph = of_crates(vec![importing("portal-server", &imports)]);
        assert_eq!(violations(&graph), ["portal-server must not import backup-methods-icloud"]);
    }

    #[test]
    fn a_method_imports_the_testkit_for_its_tests_only() {
        let testkit = |for_tests| Import { name: "backup-testkit".into(), for_tests };
        let method =
            |import| Crate { name: "backup-methods-password".into(), imports: vec![import] };
        assert!(violations(&of_crates(vec![method(testkit(true))])).is_empty());
        assert_eq!(violations(&of_crates(vec![method(testkit(false))])).len(), 1);
    }

    #[test]
    fn a_crate_without_a_layer_is_told_where_to_add_it() {
        let found = violations(&of_crates(vec![importing("portal-new", &[])]));
        assert!(found[0].contains("portal-new has no layer"), "{found:?}");
        assert!(found[0].contains("xtask/src/layers/rules.rs"), "{found:?}");
    }

    #[test]
    fn the_core_pulls_in_no_runtime_http_or_tls() {
        for name in ["tokio", "hyper-util", "rustls", "aws-lc-sys", "ring", "socket2"] {
            let graph = Graph { core_tree: set(&["aes", name]), ..Graph::default() };
            let found = violations(&graph);
            assert!(found[0].starts_with(&format!("{name} must not be in backup-core")), "{name}");
        }
    }

    #[test]
    fn the_workspace_has_one_tls_only() {
        for name in ["openssl-sys", "native-tls", "ring"] {
            let graph = Graph { everything: set(&["rustls", name]), ..Graph::default() };
            assert_eq!(violations(&graph).len(), 1, "{name}");
        }
    }

    #[test]
    fn the_core_pulls_in_fewer_than_sixty_crates() {
        let of_size = |size: usize| Graph {
            core_tree: (0..size).map(|n| format!("crate-{n}")).collect(),
            ..Graph::default()
        };
        assert!(violations(&of_size(59)).is_empty());
        assert_eq!(violations(&of_size(60)), ["backup-core pulls in 60 crates, over 59"]);
    }

    fn of_crates(crates: Vec<Crate>) -> Graph {
        Graph { crates, ..Graph::default() }
    }

    fn importing(name: &str, imports: &[&str]) -> Crate {
        let import = |name: &&str| Import { name: (*name).into(), for_tests: false };
        Crate { name: name.into(), imports: imports.iter().map(import).collect() }
    }

    fn set(names: &[&str]) -> BTreeSet<String> {
        names.iter().map(|name| (*name).to_owned()).collect()
    }
}
