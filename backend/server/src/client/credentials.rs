//! What `kcs login` got, by server, in a file that only its owner can read.

use super::address::Address;
use domain::ids::TokenId;
use secrecy::{ExposeSecret, SecretString};
use serde::{Deserialize, Serialize, Serializer};
use std::collections::BTreeMap;
use std::fs::{DirBuilder, File, OpenOptions};
use std::io::{ErrorKind, Write};
use std::os::unix::fs::{DirBuilderExt, OpenOptionsExt, PermissionsExt};
use std::path::{Path, PathBuf};
use time::OffsetDateTime;

/// What one server gave.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct Credential {
    #[serde(serialize_with = "exposed")]
    pub token: SecretString,
    pub token_id: TokenId,
    #[serde(with = "time::serde::rfc3339")]
    pub expires_at: OffsetDateTime,
    /// Certificates that vouch for the server, where public ones do not.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub ca_pem: Option<String>,
}

/// The file is where the token lives.
fn exposed<S: Serializer>(token: &SecretString, serializer: S) -> Result<S::Ok, S::Error> {
    serializer.serialize_str(token.expose_secret())
}

#[derive(Default, Serialize, Deserialize)]
struct Content {
    servers: BTreeMap<String, Credential>,
}

/// The file.
pub struct Credentials {
    directory: PathBuf,
}

impl Credentials {
    /// The person's own: `$XDG_CONFIG_HOME/kcs`, or `~/.config/kcs`.
    ///
    /// # Errors
    /// When there is no home.
    pub fn own() -> Result<Self, String> {
        let absolute = |name: &str| std::env::var_os(name).map(PathBuf::from).filter(|path| path.is_absolute());
        let config = absolute("XDG_CONFIG_HOME").or_else(|| Some(absolute("HOME")?.join(".config")));
        Ok(Self { directory: config.ok_or("neither XDG_CONFIG_HOME nor HOME is set")?.join("kcs") })
    }

    fn file(&self) -> PathBuf {
        self.directory.join("credentials.json")
    }

    /// What this server gave, if it is good still. With none, `kcs login` is the way.
    ///
    /// # Errors
    /// That there is none, in words that say what to do.
    pub fn of(&self, server: &Address) -> Result<Credential, String> {
        let found = self.kept(server)?.ok_or_else(|| format!("you are not signed in to {server}. Run: kcs login {server}"))?;
        if found.expires_at <= OffsetDateTime::now_utc() {
            return Err(format!("your sign-in to {server} has expired. Run: kcs login {server}"));
        }
        Ok(found)
    }

    /// What is kept of this server, good or not.
    ///
    /// # Errors
    /// When the file cannot be read, or by others than its owner.
    pub fn kept(&self, server: &Address) -> Result<Option<Credential>, String> {
        Ok(self.read()?.servers.remove(server.as_str()))
    }

    /// Keeps it in place of what there was, or forgets that.
    ///
    /// # Errors
    /// When the file cannot be written.
    pub fn set(&self, server: &Address, credential: Option<Credential>) -> Result<(), String> {
        let told = |path: &Path, error: std::io::Error| format!("{}: {error}", path.display());
        DirBuilder::new().recursive(true).mode(0o700).create(&self.directory).map_err(|e| told(&self.directory, e))?;
        // Two sign-ins at the same time must not lose one another's.
        let lock = self.directory.join("credentials.lock");
        let held = OpenOptions::new().create(true).write(true).truncate(false).mode(0o600).open(&lock).map_err(|e| told(&lock, e))?;
        held.lock().map_err(|e| told(&lock, e))?;
        let mut content = self.read()?;
        match credential {
            Some(credential) => drop(content.servers.insert(server.as_str().to_owned(), credential)),
            None => drop(content.servers.remove(server.as_str())),
        }
        let text = serde_json::to_vec_pretty(&content).map_err(|e| e.to_string())?;
        write_private(&self.file(), &text).map_err(|e| told(&self.file(), e))
    }

    fn read(&self) -> Result<Content, String> {
        let file = self.file();
        let told = |error: &dyn std::fmt::Display| format!("{}: {error}", file.display());
        let open = match File::open(&file) {
            Err(error) if error.kind() == ErrorKind::NotFound => return Ok(Content::default()),
            open => open.map_err(|e| told(&e))?,
        };
        if open.metadata().map_err(|e| told(&e))?.permissions().mode() & 0o077 != 0 {
            return Err(format!("others can read {0}. Run: chmod 600 {0}", file.display()));
        }
        // The parser's words could hold a part of the file.
        serde_json::from_reader(std::io::BufReader::new(open)).map_err(|_| told(&"is damaged; delete it and sign in again"))
    }
}

/// The old content or the new one, never half of it, and never for others' eyes.
fn write_private(path: &Path, text: &[u8]) -> std::io::Result<()> {
    let new = path.with_extension("new");
    // One that a crash left behind might have other rights.
    if let Err(error) = std::fs::remove_file(&new)
        && error.kind() != ErrorKind::NotFound
    {
        return Err(error);
    }
    let mut file = OpenOptions::new().create_new(true).write(true).mode(0o600).open(&new)?;
    file.write_all(text)?;
    file.sync_all()?;
    std::fs::rename(&new, path)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn credential(token: &str, seconds: i64) -> Credential {
        let expires_at = OffsetDateTime::now_utc() + time::Duration::seconds(seconds);
        Credential { token: token.into(), token_id: TokenId::generate(), expires_at, ca_pem: None }
    }

    #[test]
    fn what_is_kept_is_for_its_owner_only_and_of_its_server_only() {
        let home = tempfile::tempdir().unwrap();
        let credentials = Credentials { directory: home.path().join("a/kcs") };
        let (one, other): (Address, Address) = ("https://one".parse().unwrap(), "https://other".parse().unwrap());
        assert!(credentials.of(&one).unwrap_err().contains("kcs login https://one"));
        credentials.set(&one, Some(credential("first", 60))).unwrap();
        credentials.set(&other, Some(credential("second", 0))).unwrap();
        assert_eq!(credentials.of(&one).unwrap().token.expose_secret(), "first");
        assert!(credentials.of(&other).unwrap_err().contains("has expired"));
        let mode = |path: &Path| path.metadata().unwrap().permissions().mode() & 0o777;
        assert_eq!((mode(&credentials.directory), mode(&credentials.file())), (0o700, 0o600));
        assert!(!format!("{:?}", credentials.of(&one).unwrap()).contains("first"));
        credentials.set(&one, None).unwrap();
        assert!(credentials.kept(&one).unwrap().is_none() && credentials.kept(&other).unwrap().is_some());
        std::fs::set_permissions(credentials.file(), PermissionsExt::from_mode(0o644)).unwrap();
        assert!(credentials.kept(&other).unwrap_err().contains("chmod 600"));
    }
}
