//! User-data as cloud-init would carry it out, turned into one script that the guest runs at its first boot.
//!
//! `#cloud-config` with `bootcmd`, `write_files` and `runcmd`, and plain `#!` scripts. Whatever else a document asks for is
//! named on the console as not played, so that nobody searches for its effect in vain.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use serde::Deserialize;
use serde_yaml_ng::Value;
use std::fmt::Write as _;

const HEADER: &str = "#!/bin/bash\n\
    # Made by the local cloud from the server's user-data; steps and files are cloud-init's.\n\
    umask 022\n\
    instance=/var/lib/cloud/instance\n\
    mkdir -p $instance/scripts /run/cloud-init\n\
    failed=0\n\
    say() { echo \"cloud-init[1]: $*\"; }\n\
    say \"local cloud, first boot\"\n";

const FOOTER: &str = "date -R >$instance/boot-finished\nexit $failed\n";

#[derive(Deserialize)]
struct CloudConfig {
    #[serde(default)]
    bootcmd: Vec<Value>,
    #[serde(default)]
    write_files: Vec<WriteFile>,
    #[serde(default)]
    runcmd: Vec<Value>,
    #[serde(flatten)]
    others: serde_yaml_ng::Mapping,
}

#[derive(Deserialize)]
struct WriteFile {
    path: String,
    #[serde(default)]
    content: String,
    #[serde(default)]
    encoding: Option<String>,
    #[serde(default)]
    permissions: Option<Value>,
    #[serde(default)]
    owner: Option<String>,
    #[serde(default)]
    append: bool,
    #[serde(default)]
    defer: bool,
}

/// The script for a server's user-data. User-data that cloud-init would not understand is no error: the script says so on the
/// console and ends with failure, as a real server would boot and complain.
pub fn script(user_data: &[u8]) -> String {
    let mut script = HEADER.to_owned();
    let text = String::from_utf8_lossy(user_data);
    let outcome = if text.starts_with("#cloud-config") {
        cloud_config(&text, &mut script)
    } else if text.starts_with("#!") {
        run_script("part-001", &text, &mut script);
        Ok(())
    } else {
        Err("user-data starts neither with #cloud-config nor with #!".to_owned())
    };
    if let Err(reason) = outcome {
        let _ = writeln!(script, "say {}\nfailed=1", quote(&format!("error: {reason}")));
    }
    script.push_str(FOOTER);
    script
}

fn cloud_config(text: &str, script: &mut String) -> Result<(), String> {
    let config: CloudConfig = serde_yaml_ng::from_str(text).map_err(|e| format!("invalid cloud-config: {e}"))?;
    for key in config.others.keys().filter_map(Value::as_str) {
        let _ = writeln!(script, "say {}", quote(&format!("module {key} is not played by the local cloud, ignored")));
    }
    let bootcmd = commands(&config.bootcmd)?;
    let runcmd = commands(&config.runcmd)?;
    if !config.bootcmd.is_empty() {
        run_script("bootcmd", &bootcmd, script);
    }
    for file in config.write_files.iter().filter(|f| !f.defer) {
        write_file(file, script)?;
    }
    for file in config.write_files.iter().filter(|f| f.defer) {
        write_file(file, script)?;
    }
    if !config.runcmd.is_empty() {
        run_script("runcmd", &runcmd, script);
    }
    Ok(())
}

/// The shell script cloud-init makes of a list of commands: lists are quoted word by word, strings are shell.
fn commands(items: &[Value]) -> Result<String, String> {
    let mut shell = "#!/bin/sh\n".to_owned();
    for item in items {
        let line = match item {
            Value::String(line) => line.clone(),
            Value::Sequence(words) => words.iter().map(|w| word(w).map(|w| quote(&w))).collect::<Result<Vec<_>, _>>()?.join(" "),
            other => return Err(format!("a command is neither a string nor a list: {other:?}")),
        };
        shell.push_str(&line);
        shell.push('\n');
    }
    Ok(shell)
}

fn word(value: &Value) -> Result<String, String> {
    match value {
        Value::String(s) => Ok(s.clone()),
        Value::Number(n) => Ok(n.to_string()),
        Value::Bool(b) => Ok(b.to_string()),
        other => Err(format!("not a word of a command: {other:?}")),
    }
}

fn run_script(name: &str, body: &str, script: &mut String) {
    let _ = writeln!(
        script,
        "base64 -d >$instance/scripts/{name} <<'END'\n{}\nEND\nchmod 700 $instance/scripts/{name}\nsay 'running {name}'\n\
         $instance/scripts/{name} || {{ code=$?; failed=1; say \"{name} failed with exit status $code\"; }}",
        folded(body.as_bytes())
    );
}

fn write_file(file: &WriteFile, script: &mut String) -> Result<(), String> {
    if !file.path.starts_with('/') {
        return Err(format!("write_files: {} is not an absolute path", file.path));
    }
    let (content, unzip) = content(file)?;
    let path = quote(&file.path);
    let redirect = if file.append { ">>" } else { ">" };
    let _ =
        writeln!(script, "mkdir -p \"$(dirname {path})\"\n{{ base64 -d{unzip}; }} {redirect}{path} <<'END' || failed=1\n{}\nEND", folded(&content));
    let _ = writeln!(script, "chmod {} {path} || failed=1", quote(&permissions(file.permissions.as_ref())?));
    if let Some(owner) = file.owner.as_deref().filter(|o| !matches!(*o, "root" | "root:root")) {
        let _ = writeln!(script, "chown {} {path} || failed=1", quote(owner));
    }
    Ok(())
}

/// The bytes to lay down, and what the guest still has to do with them.
fn content(file: &WriteFile) -> Result<(Vec<u8>, &'static str), String> {
    let decoded = || {
        let packed: String = file.content.split_whitespace().collect();
        STANDARD.decode(packed).map_err(|e| format!("write_files: {}: {e}", file.path))
    };
    match file.encoding.as_deref().unwrap_or("text/plain") {
        "b64" | "base64" => Ok((decoded()?, "")),
        "gz+b64" | "gzip+b64" | "gz+base64" | "gzip+base64" => Ok((decoded()?, " | gunzip")),
        "text/plain" => Ok((file.content.clone().into_bytes(), "")),
        other => Err(format!("write_files: {}: unknown encoding {other}", file.path)),
    }
}

/// YAML reads `0644` as a number or a string depending on its version: both are octal here, as in cloud-init.
fn permissions(value: Option<&Value>) -> Result<String, String> {
    let text = match value {
        None => return Ok("0644".to_owned()),
        Some(Value::String(s)) => s.clone(),
        Some(Value::Number(n)) => n.to_string(),
        Some(other) => return Err(format!("write_files: permissions {other:?}")),
    };
    let digits = text.trim_start_matches("0o");
    if digits.is_empty() || !digits.bytes().all(|b| (b'0'..=b'7').contains(&b)) {
        return Err(format!("write_files: permissions {text} are not octal"));
    }
    Ok(digits.to_owned())
}

fn quote(word: &str) -> String {
    format!("'{}'", word.replace('\'', r"'\''"))
}

/// Base64 in lines, so that no line of the script is unreasonably long.
fn folded(bytes: &[u8]) -> String {
    let encoded = STANDARD.encode(bytes);
    let mut lines = String::with_capacity(encoded.len() + encoded.len() / 76 + 1);
    for (index, character) in encoded.chars().enumerate() {
        if index > 0 && index % 76 == 0 {
            lines.push('\n');
        }
        lines.push(character);
    }
    lines
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]
    use super::script;
    use std::process::Command;

    /// Runs the script with its absolute paths led into a scratch directory.
    fn run(user_data: &str) -> (std::path::PathBuf, String, bool) {
        let dir = std::env::temp_dir().join(format!("kcs-user-data-{}", uuid::Uuid::new_v4()));
        std::fs::create_dir_all(&dir).unwrap();
        let text = script(user_data.replace("DIR", dir.to_str().unwrap()).as_bytes())
            .replace("/var/lib/cloud", dir.join("cloud").to_str().unwrap())
            .replace("/run/cloud-init", dir.join("run").to_str().unwrap());
        let output = Command::new("bash").arg("-c").arg(text).output().unwrap();
        (dir, String::from_utf8_lossy(&output.stdout).into_owned(), output.status.success())
    }

    #[test]
    fn writes_files_then_runs_commands() {
        let (dir, console, ok) = run(
            "#cloud-config\npackages: [jq]\nwrite_files:\n- {path: DIR/a/b, content: aGVsbG8=, encoding: b64, permissions: '0600'}\n\
             - path: DIR/c\n  content: |\n    one 'two'\n  owner: root:root\nruncmd:\n- [sh, -c, 'cat DIR/a/b > \"DIR/it''s\"']\n- echo $((1 + 1))\n- 'false'\n- echo last\n",
        );
        assert!(ok, "{console}");
        assert_eq!(std::fs::read_to_string(dir.join("a/b")).unwrap(), "hello");
        assert_eq!(std::fs::read_to_string(dir.join("c")).unwrap(), "one 'two'\n");
        assert_eq!(std::fs::read_to_string(dir.join("it's")).unwrap(), "hello");
        assert!(console.contains("\n2\nlast\n"), "{console}");
        assert!(console.contains("module packages is not played"), "{console}");
        let mode = std::os::unix::fs::MetadataExt::mode(&std::fs::metadata(dir.join("a/b")).unwrap());
        assert_eq!(mode & 0o777, 0o600);
        std::fs::remove_dir_all(dir).unwrap();
    }

    #[test]
    fn runs_a_plain_script_and_tells_its_failure() {
        let (dir, console, ok) = run("#!/bin/bash\necho out; exit 7\n");
        assert!(!ok);
        assert!(console.contains("out\n") && console.contains("part-001 failed with exit status 7"), "{console}");
        std::fs::remove_dir_all(dir).unwrap();
    }

    #[test]
    fn complains_about_what_it_does_not_understand() {
        for bad in ["hello", "#cloud-config\nruncmd: {a: b}\n", "#cloud-config\nwrite_files: [{path: relative, content: x}]\n"] {
            let (dir, console, ok) = run(bad);
            assert!(!ok && console.contains("error: "), "{bad}: {console}");
            std::fs::remove_dir_all(dir).unwrap();
        }
    }
}
