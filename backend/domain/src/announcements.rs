//! Announcements: what operators tell everybody who is signed in. A maintenance window is told of before it begins, a notice from when it begins.

use serde::{Deserialize, Serialize};
use serde_json::{Value, json};
use time::OffsetDateTime;

#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, utoipa::ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum AnnouncementKind {
    Notice,
    /// Shown from when it is made until it is over, with its times.
    Maintenance,
}

/// `Critical` ones cannot be put away by who reads them.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, utoipa::ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum Severity {
    Info,
    Warning,
    Critical,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, utoipa::ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum AnnouncementState {
    /// It has not begun.
    Upcoming,
    Current,
    Ended,
}

/// What is said, and when it is so.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Announcement {
    pub kind: AnnouncementKind,
    pub severity: Severity,
    pub zh: String,
    pub en: String,
    pub from: OffsetDateTime,
    /// None: until somebody ends it.
    pub until: Option<OffsetDateTime>,
}

impl AnnouncementKind {
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Notice => "notice",
            Self::Maintenance => "maintenance",
        }
    }

    #[must_use]
    pub fn parse(text: &str) -> Option<Self> {
        [Self::Notice, Self::Maintenance].into_iter().find(|kind| kind.as_str() == text)
    }
}

impl Severity {
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Info => "info",
            Self::Warning => "warning",
            Self::Critical => "critical",
        }
    }

    #[must_use]
    pub fn parse(text: &str) -> Option<Self> {
        [Self::Info, Self::Warning, Self::Critical].into_iter().find(|severity| severity.as_str() == text)
    }
}

impl Announcement {
    /// What is wrong with its times, if anything: the field and why.
    #[must_use]
    pub fn wrong(&self, now: OffsetDateTime) -> Option<(&'static str, &'static str)> {
        match self.until {
            None if self.kind == AnnouncementKind::Maintenance => Some(("until", "must be given for a maintenance window")),
            Some(until) if until <= self.from => Some(("until", "must be after its beginning")),
            Some(until) if until <= now => Some(("until", "must be in the future")),
            _ => None,
        }
    }

    #[must_use]
    pub fn state(&self, ended: bool, now: OffsetDateTime) -> AnnouncementState {
        if ended || self.until.is_some_and(|until| until <= now) {
            AnnouncementState::Ended
        } else if self.from > now {
            AnnouncementState::Upcoming
        } else {
            AnnouncementState::Current
        }
    }

    /// What the audit log tells of it.
    #[must_use]
    pub fn words(&self) -> Value {
        let time = |at: OffsetDateTime| at.format(&time::format_description::well_known::Rfc3339).unwrap_or_default();
        json!({ "kind": self.kind, "severity": self.severity, "zh": self.zh, "en": self.en, "from": time(self.from), "until": self.until.map(time) })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use time::Duration;

    fn at(hours: i64) -> OffsetDateTime {
        OffsetDateTime::UNIX_EPOCH + Duration::hours(hours)
    }

    fn announcement(kind: AnnouncementKind, from: i64, until: Option<i64>) -> Announcement {
        Announcement { kind, severity: Severity::Info, zh: "字".into(), en: "words".into(), from: at(from), until: until.map(at) }
    }

    #[test]
    fn a_window_has_an_end_which_is_after_its_beginning_and_ahead() {
        let wrong = |kind, from, until| announcement(kind, from, until).wrong(at(10)).map(|(field, _)| field);
        assert_eq!(wrong(AnnouncementKind::Notice, 5, None), None);
        assert_eq!(wrong(AnnouncementKind::Maintenance, 12, Some(14)), None);
        assert_eq!(wrong(AnnouncementKind::Maintenance, 12, None), Some("until"));
        assert_eq!(wrong(AnnouncementKind::Notice, 12, Some(12)), Some("until"));
        assert_eq!(wrong(AnnouncementKind::Notice, 5, Some(10)), Some("until"));
    }

    #[test]
    fn it_is_what_the_time_and_people_make_it() {
        let state = |from, until, ended| announcement(AnnouncementKind::Notice, from, until).state(ended, at(10));
        assert_eq!(state(11, None, false), AnnouncementState::Upcoming);
        assert_eq!(state(10, Some(11), false), AnnouncementState::Current);
        assert_eq!(state(5, Some(10), false), AnnouncementState::Ended);
        assert_eq!(state(11, None, true), AnnouncementState::Ended);
    }
}
