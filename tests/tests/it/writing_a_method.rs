//! The code of `docs/writing-a-method.md`, put through the suite as the guide says.

include!(concat!(env!("OUT_DIR"), "/writing_a_method.rs"));

#[test]
fn the_store_takes_the_lines_that_the_guide_says() {
    let guide = include_str!("../../../docs/writing-a-method.md");
    let store = guide.split("```rust\n").nth(1).and_then(|rest| rest.split("```").next());
    let (_, store) = store.unwrap().split_once("\n};\n").unwrap();
    let is_code = |line: &&str| !line.is_empty() && !line.trim().starts_with("//");
    assert!(store.lines().filter(is_code).count() < 60);
}
