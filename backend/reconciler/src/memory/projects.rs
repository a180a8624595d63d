//! What the cloud's identity service said of projects whose clusters are refused.

use super::{Memory, lock};
use domain::ids::TenantId;
use domain::tenants::ProjectState;
use time::{Duration, OffsetDateTime};

/// It is asked about a project no more often than this.
const PAUSE: Duration = Duration::MINUTE;

pub(super) struct Note {
    /// By the clock of passes.
    asked_at: OffsetDateTime,
    /// None: it has not answered yet.
    state: Option<ProjectState>,
}

impl Memory {
    /// Whether it is time to ask about a project; whoever is told so asks, for all its clusters.
    pub(crate) fn asks_about(&self, project: &TenantId, now: OffsetDateTime) -> bool {
        let mut known = lock(&self.projects);
        if known.get(project).is_some_and(|note| (now - note.asked_at).abs() < PAUSE) {
            return false;
        }
        let state = known.get(project).and_then(|note| note.state);
        known.insert(project.clone(), Note { asked_at: now, state });
        true
    }

    pub(crate) fn note_project(&self, project: &TenantId, state: ProjectState) {
        if let Some(note) = lock(&self.projects).get_mut(project) {
            note.state = Some(state);
        }
    }

    pub(crate) fn forget_project(&self, project: &TenantId) {
        lock(&self.projects).remove(project);
    }

    pub(crate) fn project(&self, project: &TenantId) -> Option<ProjectState> {
        lock(&self.projects).get(project)?.state
    }
}
