//! Takes the code out of the guides in `docs`, so that it is compiled and tested.

use std::{env, error::Error, fs, path::Path};

const GUIDES: [&str; 2] = ["guide", "writing-a-method"];

fn main() -> Result<(), Box<dyn Error>> {
    let out = env::var("OUT_DIR")?;
    for name in GUIDES {
        let guide = format!("../docs/{name}.md");
        println!("cargo::rerun-if-changed={guide}");
        let guide = fs::read_to_string(guide)?;
        let code: Vec<_> = guide
            .split("```rust\n")
            .skip(1)
            .filter_map(|rest| rest.split_once("```").map(|(code, _)| code))
            .collect();
        let path = Path::new(&out).join(name.replace('-', "_")).with_extension("rs");
        fs::write(path, code.concat())?;
    }
    Ok(())
}
