//! Takes the code out of `docs/writing-a-method.md`, so that it is compiled and tested.

use std::{env, error::Error, fs, path::Path};

const GUIDE: &str = "../docs/writing-a-method.md";

fn main() -> Result<(), Box<dyn Error>> {
    println!("cargo::rerun-if-changed={GUIDE}");
    let guide = fs::read_to_string(GUIDE)?;
    let code: Vec<_> = guide
        .split("```rust\n")
        .skip(1)
        .filter_map(|rest| rest.split_once("```").map(|(code, _)| code))
        .collect();
    let path = Path::new(&env::var("OUT_DIR")?).join("writing_a_method.rs");
    Ok(fs::write(path, code.concat())?)
}
