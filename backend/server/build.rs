//! Puts the built console (`frontend/dist`) into the binary, each file once as it is and once compressed. Without a build there is a
//! page that says so: the binary can be built before the console.

use flate2::Compression;
use flate2::write::GzEncoder;
use std::error::Error;
use std::fmt::Write as _;
use std::io::Write as _;
use std::path::{Path, PathBuf};

const NOT_BUILT: &str = "<!doctype html><meta charset=utf-8><title>KCS</title><h1>The console is not built</h1><p>Run <code>make console</code>, then build again. The API is at <a href=/api/docs>/api/docs</a>.";

fn main() -> Result<(), Box<dyn Error>> {
    let dist = Path::new(&std::env::var("CARGO_MANIFEST_DIR")?).join("../../frontend/dist");
    let out = PathBuf::from(std::env::var("OUT_DIR")?);
    println!("cargo:rerun-if-changed={}", dist.display());
    let mut files = Vec::new();
    if dist.join("index.html").is_file() {
        collect(&dist, &dist, &mut files)?;
    } else {
        std::fs::write(out.join("index.html"), NOT_BUILT)?;
        files.push(("/index.html".to_owned(), out.join("index.html")));
    }
    files.sort();
    let mut source = String::from("static FILES: &[Embedded] = &[\n");
    for (index, (path, file)) in files.iter().enumerate() {
        let content = std::fs::read(file)?;
        // A copy: the next build of the console may come while this one is compiled.
        let copy = out.join(format!("{index}.file"));
        std::fs::write(&copy, &content)?;
        let mut encoder = GzEncoder::new(Vec::new(), Compression::new(9));
        encoder.write_all(&content)?;
        let small = encoder.finish()?;
        let compressed = if small.len() + 64 < content.len() {
            let name = out.join(format!("{index}.gz"));
            std::fs::write(&name, &small)?;
            format!("Some(include_bytes!({:?}))", name.display().to_string())
        } else {
            "None".to_owned()
        };
        writeln!(source, "    ({path:?}, include_bytes!({:?}), {compressed}),", copy.display().to_string())?;
    }
    source.push_str("];\n");
    std::fs::write(out.join("console_files.rs"), source)?;
    Ok(())
}

fn collect(root: &Path, directory: &Path, files: &mut Vec<(String, PathBuf)>) -> Result<(), Box<dyn Error>> {
    for entry in std::fs::read_dir(directory)? {
        let path = entry?.path();
        if path.is_dir() {
            collect(root, &path, files)?;
        } else if !path.extension().is_some_and(|e| e == "map" || e == "gz" || e == "br") {
            let relative = path.strip_prefix(root)?.to_string_lossy().replace('\\', "/");
            files.push((format!("/{relative}"), path));
        }
    }
    Ok(())
}
