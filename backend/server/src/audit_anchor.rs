//! Where the audit log ended when this process last sealed lines of it, kept outside the database: in the state directory, and in the process's own log.

use std::error::Error;
use std::io;
use std::path::{Path, PathBuf};
use std::time::Duration;
use store::AuditEnd;
use tokio::fs;
use tokio::io::AsyncWriteExt;
use tokio::time::Instant;
use uuid::Uuid;

/// The file in the state directory.
const FILE: &str = "audit-end";
/// While lines are sealed without a pause it is kept so often.
const EVERY: Duration = Duration::from_secs(1);
/// And told to the process's log so often.
const TELL: Duration = Duration::from_secs(600);

/// The end of the log as it was last seen. Without a directory only this process remembers it.
#[derive(Debug, Default)]
pub struct Anchor {
    file: Option<PathBuf>,
    /// Who writes the file anew: processes may share the directory, and all have the same id where each has a container of its own.
    writer: Uuid,
    seen: Option<AuditEnd>,
    kept: Noted,
    told: Noted,
    /// That the directory does not take it is said once.
    complained: bool,
}

/// What was written down last, and when.
#[derive(Debug, Default)]
struct Noted {
    end: Option<AuditEnd>,
    at: Option<Instant>,
}

impl Noted {
    /// Whether there is something else to write down, and the last time is so long ago.
    fn is_due(&self, seen: Option<&AuditEnd>, every: Duration) -> bool {
        self.end.as_ref() != seen && self.at.is_none_or(|at| at.elapsed() >= every)
    }

    fn note(&mut self, end: &AuditEnd) {
        *self = Self { end: Some(end.clone()), at: Some(Instant::now()) };
    }
}

impl Anchor {
    #[must_use]
    pub fn in_dir(state_dir: &Path) -> Self {
        Self { file: Some(state_dir.join(FILE)), writer: Uuid::new_v4(), ..Self::default() }
    }

    /// What the log must still hold. The file counts before what this process remembers: who accepts another log writes it there.
    ///
    /// # Errors
    /// When the file is there and does not say it.
    pub async fn known(&self) -> io::Result<Option<AuditEnd>> {
        let Some(file) = &self.file else { return Ok(self.seen.clone()) };
        match fs::read_to_string(file).await {
            Ok(text) => {
                let end = text.trim().parse::<AuditEnd>();
                end.map(Some).map_err(|e| io::Error::new(io::ErrorKind::InvalidData, format!("{}: {e}", file.display())))
            }
            Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(self.seen.clone()),
            Err(error) => Err(io::Error::new(error.kind(), format!("{}: {error}", file.display()))),
        }
    }

    pub fn saw(&mut self, end: AuditEnd) {
        self.seen = Some(end);
    }

    /// Writes down what was seen; `at_rest`: nothing more waits to be sealed.
    pub async fn settle(&mut self, at_rest: bool) {
        let every = if at_rest { Duration::ZERO } else { EVERY };
        let Some(seen) = self.seen.clone() else { return };
        if self.kept.is_due(Some(&seen), every) {
            self.kept.note(&seen);
            let kept = self.keep(&seen).await;
            if let Err(error) = kept
                && !self.complained
            {
                self.complained = true;
                tracing::warn!(error = &error as &dyn Error, "where the audit log ends is not kept in the state directory");
            }
        }
        if self.told.is_due(Some(&seen), TELL) {
            self.told.note(&seen);
            tracing::info!(end = %seen, "the audit log is sealed up to here");
        }
    }

    /// Writes this end into the file, whole or not at all.
    ///
    /// # Errors
    /// When the directory does not take it.
    pub async fn keep(&self, end: &AuditEnd) -> io::Result<()> {
        let Some(path) = &self.file else { return Ok(()) };
        let fresh = path.with_extension(self.writer.simple().to_string());
        let mut file = fs::File::create(&fresh).await?;
        file.write_all(format!("{end}\n").as_bytes()).await?;
        file.sync_all().await?;
        fs::rename(&fresh, path).await
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;
    use futures::future::join_all;

    #[tokio::test]
    async fn processes_that_share_the_directory_and_their_id_do_not_get_in_each_others_way() {
        let dir = tempfile::tempdir().unwrap();
        let anchors: Vec<Anchor> = (0..20).map(|_| Anchor::in_dir(dir.path())).collect();
        let keeping = anchors.iter().zip(1_i64..).map(|(anchor, seq)| async move { anchor.keep(&AuditEnd { seq, mac: vec![7; 32] }).await });
        let kept = join_all(keeping).await;
        assert!(kept.iter().all(Result::is_ok), "{kept:?}");
        assert_eq!(anchors[0].known().await.unwrap().unwrap().mac, vec![7; 32]);
    }
}
