//! Every error code a user can meet, with its English title and remedy. The console has the same codes in both languages, checked by a test.

use crate::newer::kept;
use serde::{Deserialize, Deserializer, Serialize, Serializer};
use utoipa::openapi::RefOr;
use utoipa::openapi::schema::{ObjectBuilder, Schema, Type};

macro_rules! codes {
    ($($variant:ident = $code:literal, $status:literal, $retryable:literal, $title:literal, $remedy:literal;)+) => {
        /// A stable error code.
        #[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
        pub enum Code {
            $(#[doc = $title] $variant,)+
            /// One that a newer program has written beside this one: shown and kept as it is. Made by reading only.
            Newer(&'static str),
        }

        impl Code {
            /// All codes that this program knows, for the tests that compare them with the console's texts.
            pub const ALL: &'static [Code] = &[$(Code::$variant,)+];

            #[must_use]
            pub fn as_str(self) -> &'static str {
                match self { $(Code::$variant => $code,)+ Code::Newer(text) => text }
            }

            /// The code spelled so, if there is one.
            #[must_use]
            pub fn parse(text: &str) -> Option<Self> {
                match text { $($code => Some(Code::$variant),)+ _ => None }
            }

            /// The HTTP status a request that ends with this code is answered with.
            #[must_use]
            pub fn status(self) -> u16 {
                match self { $(Code::$variant => $status,)+ Code::Newer(_) => 500 }
            }

            /// Whether the same request may succeed later without a change by the user.
            #[must_use]
            pub fn retryable(self) -> bool {
                match self { $(Code::$variant => $retryable,)+ Code::Newer(_) => true }
            }

            #[must_use]
            pub fn title(self) -> &'static str {
                match self {
                    $(Code::$variant => $title,)+
                    Code::Newer(_) => "A newer version of KCS says what this is",
                }
            }

            #[must_use]
            pub fn remedy(self) -> &'static str {
                match self {
                    $(Code::$variant => $remedy,)+
                    Code::Newer(_) => "Load the page again once all of KCS runs the new version.",
                }
            }
        }
    };
}

impl Serialize for Code {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(self.as_str())
    }
}

/// While processes of two versions run beside each other, the older one reads what the newer one writes.
impl<'de> Deserialize<'de> for Code {
    fn deserialize<D: Deserializer<'de>>(from: D) -> Result<Self, D::Error> {
        let text = String::deserialize(from)?;
        Ok(Self::parse(&text).unwrap_or_else(|| Self::Newer(kept(text))))
    }
}

impl utoipa::ToSchema for Code {}

impl utoipa::PartialSchema for Code {
    fn schema() -> RefOr<Schema> {
        let codes = Self::ALL.iter().map(|code| code.as_str());
        ObjectBuilder::new().schema_type(Type::String).description(Some("A stable error code.")).enum_values(Some(codes)).into()
    }
}

codes! {
    InvalidInput = "KCS-INPUT-001", 400, false, "The request is not valid", "Correct the named field and send the request again.";
    BodyTooLarge = "KCS-INPUT-002", 413, false, "The request body is too large", "Send less than the limit.";
    UnsupportedMedia = "KCS-INPUT-003", 415, false, "The request body must be JSON", "Send Content-Type: application/json.";
    NotFound = "KCS-NOTFOUND-001", 404, false, "Not found", "Check the address; the object may have been deleted.";
    MethodNotAllowed = "KCS-NOTFOUND-002", 405, false, "The method is not allowed here", "See the API documentation.";
    Conflict = "KCS-CONF-001", 409, false, "The object was changed meanwhile", "Load it again and repeat the change.";
    Busy = "KCS-CONF-002", 409, true, "Another operation on this cluster is running", "Wait until it ends, or cancel it.";
    IdempotencyMismatch = "KCS-CONF-003", 422, false, "This Idempotency-Key was used with another request", "Use a new key for a new request.";
    ConfirmName = "KCS-CONF-004", 400, false, "The name typed does not match", "Type the cluster's name exactly.";
    DeletionProtected = "KCS-CONF-005", 409, false, "The cluster is protected against deletion", "Switch deletion protection off first.";
    SignInFailed = "KCS-AUTH-003", 401, false, "User name, password or domain is wrong", "Try again, or ask your administrator.";
    SessionExpired = "KCS-AUTH-001", 401, false, "The session has expired", "Sign in again.";
    CredentialInvalid = "KCS-AUTH-002", 502, true, "The cloud no longer accepts the cluster's credential", "It is renewed by itself. If this stays, ask the operator to look at the project with kcs check-cloud.";
    CsrfMissing = "KCS-AUTH-004", 403, false, "The X-CSRF-Token header is missing or wrong", "Send the token that the session answer carries.";
    NoProject = "KCS-AUTH-005", 403, false, "No project may be entered", "Ask your administrator for a role in a project.";
    AuthorizationPending = "KCS-AUTH-006", 400, true, "Nobody has allowed the sign-in yet", "Wait for the interval, then ask again.";
    SlowDown = "KCS-AUTH-007", 400, true, "Asked again too soon", "Wait five seconds longer than before each time.";
    AccessDenied = "KCS-AUTH-008", 400, false, "The sign-in was denied", "Start it again if it was yours.";
    ExpiredToken = "KCS-AUTH-009", 400, false, "The code is over or was used", "Start the sign-in again.";
    BoundToProject = "KCS-AUTH-010", 403, false, "An application credential is good in its own project only", "Sign in with a password to go on in another project.";
    CredentialRefused = "KCS-AUTH-011", 401, false, "The application credential is wrong, has ended or is gone", "Check its id and secret, or make another in the cloud.";
    PasscodeWanted = "KCS-AUTH-012", 401, false, "A passcode is wanted besides the password", "Send the password again, with the passcode that your authenticator shows.";
    FederationRefused = "KCS-AUTH-013", 401, false, "The sign-in of the identity provider was not accepted", "Begin it again from the sign-in page; if it stays, ask your administrator.";
    TenantGone = "KCS-AUTH-014", 409, false, "The project was deleted in the cloud", "Nothing of the cluster can be looked at or deleted any more; an operator writes it off.";
    TenantDisabled = "KCS-AUTH-015", 409, true, "The project is disabled in the cloud", "Nothing is changed meanwhile; work goes on by itself once the project is enabled again.";
    Forbidden = "KCS-RBAC-001", 403, false, "Your role does not allow this", "Ask an owner of the project for the role named.";
    OperatorsOnly = "KCS-RBAC-002", 403, false, "The admin view is for operators only", "Ordinary users have no operation of the admin view.";
    Narrowed = "KCS-RBAC-003", 403, false, "This token, kubeconfig or application credential was not made for that", "Use one that was, or sign in yourself.";
    Outside = "KCS-RBAC-004", 403, false, "You may go into some namespaces only", "Choose one of those named, or ask an owner of the project.";
    DirectAccessOff = "KCS-RBAC-005", 403, false, "Nobody reaches this cluster past the gate", "Use a kubeconfig, which leads through the gate. Direct access is switched on per cluster, where the operator allows it.";
    DirectTooWide = "KCS-RBAC-006", 403, false, "A certificate would allow more than you may", "Use a kubeconfig, which leads through the gate and keeps to what you may.";
    RoleInUse = "KCS-CONF-006", 409, false, "Somebody has this role", "Give them another role first.";
    TenantThere = "KCS-CONF-007", 409, false, "The project was not deleted in the cloud", "Delete the cluster instead; where the project is disabled, enable it first.";
    RoleNameTaken = "KCS-NAME-004", 409, false, "A role of this name exists", "Choose another name.";
    StorageClassTaken = "KCS-NAME-005", 409, false, "A storage class of this name exists", "Choose another name.";
    RoleMissing = "KCS-NOTFOUND-005", 404, false, "The role does not exist", "Choose one of the project's roles.";
    RoleQuota = "KCS-QUOTA-004", 409, false, "The project has too many roles", "Delete roles that nobody has.";
    NameTaken = "KCS-NAME-001", 409, false, "A cluster of this name exists", "Choose another name.";
    Quota = "KCS-QUOTA-001", 409, true, "A quota of the project is too small", "Reduce the count, delete what is unused, or ask for more quota.";
    ClusterQuota = "KCS-QUOTA-002", 409, true, "The number of clusters has reached its limit", "Delete clusters you no longer use, or ask for more on the quota page.";
    TenantQuota = "KCS-QUOTA-005", 409, true, "A limit of the project in KCS is too small", "Reduce the count, delete what is unused, or ask for more on the quota page.";
    NotAllowed = "KCS-QUOTA-006", 403, false, "The project may not use this", "Choose one of those listed, or ask the operator to allow it.";
    RequestPending = "KCS-QUOTA-007", 409, true, "A request of the project is waiting for its answer", "Wait for the operator, or withdraw the request first.";
    RequestDecided = "KCS-QUOTA-008", 409, false, "The request is not waiting any more", "Load the list again; make a new request if more is needed.";
    TokenQuota = "KCS-QUOTA-003", 409, false, "You have too many API tokens", "Revoke tokens you no longer use.";
    KubeconfigQuota = "KCS-QUOTA-009", 409, false, "You have too many kubeconfigs of this cluster", "Revoke those you no longer use, or wait until some expire.";
    CidrOverlap = "KCS-NET-001", 400, false, "Two address ranges overlap", "Choose ranges that do not overlap.";
    NoFloatingIp = "KCS-NET-002", 409, true, "The external network has no free address", "Ask the operator for addresses, or use another external network.";
    SubnetTooSmall = "KCS-NET-003", 400, false, "The subnet has too few addresses", "Choose a larger node range.";
    NetworkFailed = "KCS-NET-004", 502, true, "A network object could not be made", "Retry; if it stays, show the cloud's words to the operator.";
    LoadBalancerFailed = "KCS-LB-001", 502, true, "The load balancer could not be made", "Retry the step; if it stays, ask the operator about the load balancing service.";
    NoLoadBalancer = "KCS-LB-002", 409, false, "The cloud has no load balancing service", "Ask the operator.";
    NoCapacity = "KCS-CMP-001", 409, true, "No host has room for this flavor", "Choose another zone or flavor, or retry later.";
    ServerTimeout = "KCS-CMP-002", 504, true, "A server did not start in time", "Retry; the server is replaced.";
    ServerFailed = "KCS-CMP-004", 502, true, "A server failed", "Retry; the server is replaced.";
    BootstrapFailed = "KCS-CMP-005", 502, true, "Kubernetes did not start on a node", "See the node's last lines; retry replaces the node.";
    BootstrapTimeout = "KCS-CMP-006", 504, true, "A node did not join in time", "See the node's console log; retry replaces the node.";
    BundleTwice = "KCS-CMP-015", 502, true, "A node's bundle was asked for twice", "A node that has not joined is replaced. The audit log says from where both asked: where one of them is no node of the cluster, replace the node, and make the cluster anew if it was a control plane node.";
    NodeUnready = "KCS-CMP-010", 502, true, "A node is not ready", "Reboot or replace it; where self-healing is on and the cluster's API answers, it is replaced by itself after five minutes.";
    ControlPlaneLost = "KCS-CMP-011", 409, false, "Too few control plane nodes are left to decide anything", "Nothing is done by itself; start them again, or restore etcd from a backup of your own.";
    HealingPaused = "KCS-CMP-012", 409, true, "Too many worker nodes are not ready at once", "Nothing is replaced by itself; find what they have in common, or replace nodes one by one.";
    FlavorMissing = "KCS-CMP-007", 400, false, "The flavor does not exist or may not be used", "Choose one of the flavors listed.";
    ZoneMissing = "KCS-CMP-008", 400, false, "The availability zone does not exist", "Choose one of the zones listed.";
    FlavorTooSmall = "KCS-CMP-009", 400, false, "The flavor is too small", "A control plane node needs 2 vCPU and 2 GiB, a worker 1 vCPU and 1 GiB.";
    ImageMissing = "KCS-IMG-001", 409, false, "There is no image for this Kubernetes version", "Choose another version, or ask the operator for the image.";
    ImageNotReady = "KCS-IMG-002", 409, true, "The node image is still being prepared", "Wait until it is ready.";
    VersionMissing = "KCS-VER-001", 400, false, "The Kubernetes version is not offered", "Choose one of the versions listed.";
    VolumeFailed = "KCS-VOL-001", 502, true, "A volume could not be made", "Retry, or choose another volume type.";
    NoBlockStorage = "KCS-VOL-003", 409, false, "The cloud has no block storage service", "Let servers run on their flavors' disks (root volume 0 GiB), without data volumes and the storage add-on.";
    VolumeTypeMissing = "KCS-VOL-002", 400, false, "The volume type does not exist", "Choose one of the volume types listed.";
    ExternalNetworkMissing = "KCS-NET-005", 400, false, "The external network does not exist", "Choose one of the external networks listed.";
    NetworkNotRouted = "KCS-NET-006", 409, false, "The subnet has no way out", "Connect the subnet to a router with a gateway on the external network.";
    NetworkMissing = "KCS-NET-007", 400, false, "The network or subnet does not exist", "Choose one of the networks listed, and a subnet of it.";
    ImageMismatch = "KCS-IMG-003", 400, false, "The image does not hold this Kubernetes version", "Choose an image of the same Kubernetes version.";
    DiskTooSmall = "KCS-CMP-013", 400, false, "The disk or memory is too small for the image", "Choose a larger root volume or flavor.";
    KeyPairMissing = "KCS-CMP-014", 400, false, "You have no key pair of this name", "Choose one of your key pairs, or none.";
    ProviderMissing = "KCS-LB-003", 400, false, "The load balancing service has no such provider, or it cannot do this", "Choose another provider, or let everybody connect.";
    PrivateRouteMissing = "KCS-API-004", 409, false, "KCS has no way to private cluster APIs", "Ask the operator to configure one, or choose a public or restricted API.";
    VersionSupport = "KCS-VER-003", 400, false, "This Kubernetes version is a preview, or deprecated", "Choose a current version for what is to last.";
    TemplateNameTaken = "KCS-NAME-003", 409, false, "A template of this name exists", "Choose another name.";
    ClusterApiDown = "KCS-API-001", 504, true, "The cluster's API does not answer", "Look at the cluster's health; try again later.";
    ClusterApiNotReady = "KCS-API-002", 409, true, "The cluster's API is not there yet", "Wait until the control plane is up.";
    DrainBlocked = "KCS-API-003", 409, true, "Pods may not leave the node", "See which disruption budget or pod holds it up; relax it, or delete the pod.";
    WebhookRefuses = "KCS-API-006", 409, true, "A webhook keeps pods on the node", "Mend the admission webhook that is named, or delete its configuration; pods leave as soon as it lets them.";
    SecretsRefused = "KCS-API-005", 409, true, "The cluster does not take a Secret back as it was read", "See what refuses it, a webhook or a policy, and let it pass; work goes on by itself.";
    AddonsNotReady = "KCS-ADDON-001", 502, true, "An add-on that the cluster needs is not ready", "See on the add-ons page what it says, and the events of its pods; what was changed of it is applied again by itself, unless it says there that it comes with Kubernetes.";
    AddonOwned = "KCS-ADDON-002", 409, false, "It belongs to an add-on of the cluster, which would make it again", "Leave it, and make another beside it; which storage class is the default can be changed.";
    CloudUnavailable = "KCS-CLOUD-001", 503, true, "The cloud does not answer", "Nothing is lost; work goes on when the cloud is back.";
    CloudBusy = "KCS-CLOUD-009", 503, true, "The cloud wants to be asked more slowly", "Nothing needs to be done: work goes on as soon as the cloud lets it.";
    CloudDenied = "KCS-CLOUD-002", 502, false, "The cloud refuses the service's rights", "Ask the operator to give the service user the role named.";
    CloudRejected = "KCS-CLOUD-003", 502, false, "The cloud rejected a request", "Show the cloud's words to the operator.";
    Ambiguous = "KCS-CLOUD-004", 409, false, "Two cloud objects carry the same name and mark", "Ask the operator to look at the objects listed; nothing is deleted meanwhile.";
    Drifted = "KCS-CLOUD-006", 409, true, "Something of the cluster was removed or changed outside KCS", "It is repaired by itself, or repair the cluster.";
    ObjectStuck = "KCS-CLOUD-007", 504, true, "A cloud object has been changing for half an hour", "Ask the operator to free it; nothing else is changed meanwhile.";
    InUse = "KCS-CLOUD-005", 409, true, "The cloud does not let go of something of the cluster", "Remove what still uses the object named, or ask the operator to free it; work goes on by itself.";
    NotRetryable = "KCS-OP-002", 409, false, "The operation cannot be retried in this state", "Only operations that failed, are blocked or wait for their next try can be retried, and only the cluster's last one.";
    NotYet = "KCS-OP-003", 409, true, "The result is not there yet", "Wait until the operation has ended.";
    NotCancellable = "KCS-OP-004", 409, false, "The operation cannot be cancelled", "A deletion, a change of the encryption key that was begun, and what has ended cannot be cancelled.";
    PoolTaken = "KCS-NAME-002", 409, false, "A node pool of this name exists", "Choose another name.";
    NodeMissing = "KCS-NOTFOUND-004", 404, false, "The node does not exist", "Choose one of the cluster's nodes.";
    PoolMissing = "KCS-NOTFOUND-003", 404, false, "The node pool does not exist", "Choose one of the cluster's node pools.";
    LimitBelowUse = "KCS-SET-001", 409, false, "Somebody has more than the new limit", "Nothing is taken away, and there may not be more. Choose a greater limit, or give those projects one of their own.";
    PriceUnknown = "KCS-SET-002", 409, false, "A price is for something that the cloud does not show", "Correct the name; leave it if only some projects see what it names.";
    ForwardFailed = "KCS-SET-003", 409, false, "A test line was not taken by the receiver", "Correct the address or the authorization, or mend the receiver, and test again.";
    AuthorizationWanted = "KCS-SET-004", 400, false, "The authorization was given for another address", "Give it anew for this address, or remove it with null.";
    ForwardInTheClear = "KCS-SET-005", 409, false, "Lines of the audit log would be handed on unencrypted", "Use an https address, or a network that nobody else listens on.";
    RetentionForgets = "KCS-SET-006", 409, false, "Lines of the audit log would be let go for good", "Export what is still needed, or keep lines longer.";
    ForwardEnds = "KCS-SET-007", 409, false, "Lines of the audit log would not be handed on any more", "Leave the address as it is if the receiver is to go on.";
    VersionInUse = "KCS-SET-008", 409, false, "Clusters have a version that would be removed", "Make it deprecated or hidden instead: clusters that have it go on, and get new nodes.";
    RateLimited = "KCS-RATE-001", 429, true, "Too many requests", "Wait as long as Retry-After says.";
    StoreUnavailable = "KCS-STORE-001", 503, true, "The database does not answer", "Try again in a moment.";
    Internal = "KCS-INTERNAL-001", 500, true, "Something went wrong in KCS", "Try again; give the request id to the operator if it stays.";
}
