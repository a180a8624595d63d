//! Server-sent events: an operation as it goes, and a ping whenever something of the project changed. The database's notices wake them;
//! a look now and then makes up for notices that were lost.

use crate::caller::Caller;
use crate::errors::Answer;
use crate::lasting;
use crate::operations::Operation;
use crate::state::State;
use actix_web::http::header;
use actix_web::web::{Bytes, Data};
use actix_web::{HttpRequest, HttpResponse, get};
use futures::Stream;
use std::convert::Infallible;
use std::time::Duration;
use store::{ChangeNotice, OperationRecord, StoreError};
use tokio::sync::broadcast::Receiver;
use tokio::sync::broadcast::error::RecvError;
use tokio::sync::mpsc;
use tokio::time::{Instant, timeout_at};

const HEARTBEAT: Duration = Duration::from_secs(15);

/// The id of the last event the client has seen.
#[must_use]
pub fn last_event_id(request: &HttpRequest) -> Option<i64> {
    request.headers().get("last-event-id")?.to_str().ok()?.parse().ok()
}

fn event(name: &str, id: Option<i64>, data: &impl serde::Serialize) -> Bytes {
    let id = id.map(|id| format!("id: {id}\n")).unwrap_or_default();
    Bytes::from(format!("event: {name}\n{id}data: {}\n\n", serde_json::to_string(data).unwrap_or_default()))
}

/// What a waiting stream meets next.
enum Next {
    Notice(ChangeNotice),
    Quiet,
    Over,
}

async fn next(changes: &mut Receiver<ChangeNotice>, until: Instant) -> Next {
    match timeout_at(until, changes.recv()).await {
        Ok(Ok(notice)) => Next::Notice(notice),
        Ok(Err(RecvError::Lagged(_))) => Next::Notice(ChangeNotice::Resync),
        Ok(Err(RecvError::Closed)) => Next::Over,
        Err(_) => Next::Quiet,
    }
}

/// Answers with what `write` sends, which ends once nobody listens any more.
fn stream<W: Future<Output = ()> + 'static>(
    state: &Data<State>,
    caller: &Caller,
    write: impl FnOnce(mpsc::Sender<Bytes>) -> W,
) -> Answer<HttpResponse> {
    let (sender, receiver) = mpsc::channel(16);
    let body = lasting::for_caller(state.clone(), caller.clone(), state.store.changes(), received(receiver), None)?;
    let heard = sender.clone();
    let work = write(sender);
    actix_web::rt::spawn(async move {
        tokio::select! {
            () = work => (),
            () = heard.closed() => (),
        }
    });
    let mut builder = HttpResponse::Ok();
    builder.content_type("text/event-stream").insert_header((header::CACHE_CONTROL, "no-store")).insert_header(("x-accel-buffering", "no"));
    Ok(builder.streaming(body))
}

fn received(receiver: mpsc::Receiver<Bytes>) -> impl Stream<Item = Result<Bytes, Infallible>> {
    futures::stream::unfold(receiver, |mut receiver| async { receiver.recv().await.map(|bytes| (Ok(bytes), receiver)) })
}

/// An operation's events from `seen` on.
///
/// # Errors
/// When the person has too many streams open.
pub fn operation(state: Data<State>, caller: Caller, record: OperationRecord, seen: Option<i64>) -> Answer<HttpResponse> {
    let (shared, person) = (state.clone(), caller.clone());
    stream(&shared, &person, |sender| async move {
        drop(operation_events(&state, &caller, record, seen, &sender).await);
    })
}

/// Ends when the operation has, or the client (an error of the channel).
async fn operation_events(
    state: &State,
    caller: &Caller,
    first: OperationRecord,
    seen: Option<i64>,
    sender: &mpsc::Sender<Bytes>,
) -> Result<(), Gone> {
    let mut changes = state.store.changes();
    let id = first.operation.id;
    let mut revision = seen.unwrap_or(i64::MIN);
    let mut record = first;
    let mut heartbeat = Instant::now() + HEARTBEAT;
    loop {
        let ended = record.operation.state.ended();
        if record.revision > revision || (ended && seen.is_none() && revision == i64::MIN) {
            revision = record.revision;
            sender.send(event("operation", Some(revision), &Operation::told(record, &caller.actor))).await?;
        }
        if ended {
            return Ok(());
        }
        loop {
            match next(&mut changes, heartbeat).await {
                Next::Notice(ChangeNotice::Changed { operation, .. }) if operation == Some(id) => break,
                Next::Notice(ChangeNotice::Resync) => break,
                Next::Notice(ChangeNotice::Changed { .. } | ChangeNotice::Person { .. } | ChangeNotice::Settings) => (),
                Next::Quiet => {
                    heartbeat = Instant::now() + HEARTBEAT;
                    sender.send(event("heartbeat", None, &serde_json::json!({}))).await?;
                    break;
                }
                Next::Over => return Ok(()),
            }
        }
        record = state.store.operation(&caller.actor.scope(), id).await?;
    }
}

/// Why a stream ends early; nobody is told.
pub struct Gone;

impl From<mpsc::error::SendError<Bytes>> for Gone {
    fn from(_: mpsc::error::SendError<Bytes>) -> Self {
        Self
    }
}
impl From<StoreError> for Gone {
    fn from(_: StoreError) -> Self {
        Self
    }
}

/// Changes live: event `clusters_changed` whenever a cluster or operation of the project changed, `heartbeat` every 15 s.
#[utoipa::path(tag = "events", responses((status = 200, description = "Server-sent events", content_type = "text/event-stream", body = String)))]
#[get("/events")]
pub async fn event_stream(caller: Caller, state: Data<State>) -> Answer<HttpResponse> {
    let (shared, person) = (state.clone(), caller.clone());
    stream(&shared, &person, |sender| async move {
        drop(project_events(&state, &caller, &sender).await);
    })
}

/// Many changes in a row are one ping.
const GATHER: Duration = Duration::from_millis(250);

async fn project_events(state: &State, caller: &Caller, sender: &mpsc::Sender<Bytes>) -> Result<(), Gone> {
    let mut changes = state.store.changes();
    let mut heartbeat = Instant::now() + HEARTBEAT;
    sender.send(event("heartbeat", None, &serde_json::json!({}))).await?;
    loop {
        match next(&mut changes, heartbeat).await {
            Next::Notice(notice) => {
                if !concerns(caller, &notice) {
                    continue;
                }
                let until = Instant::now() + GATHER;
                while let Next::Notice(_) = next(&mut changes, until).await {}
                sender.send(event("clusters_changed", None, &serde_json::json!({}))).await?;
            }
            Next::Quiet => {
                heartbeat = Instant::now() + HEARTBEAT;
                sender.send(event("heartbeat", None, &serde_json::json!({}))).await?;
            }
            Next::Over => return Ok(()),
        }
    }
}

/// Operators see every tenant's clusters in the admin view, so that they are pinged for all.
fn concerns(caller: &Caller, notice: &ChangeNotice) -> bool {
    match notice {
        ChangeNotice::Changed { tenant, .. } => caller.actor.operator || *tenant == caller.actor.project.id,
        ChangeNotice::Person { .. } | ChangeNotice::Settings => false,
        ChangeNotice::Resync => true,
    }
}
