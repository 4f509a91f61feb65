"""`lianmeng invitation`: what a firm is invited to, and its signed answer."""

from __future__ import annotations

from typing import Annotated

import typer
from rich.json import JSON
from rich.text import Text

from lianmeng.cli.alliance_pictures import invitation_time, roles
from lianmeng.cli.desk import Desk, command_id, desk
from lianmeng.cli.failures import usage
from lianmeng.cli.options import CommandId, Home, Json, Yes
from lianmeng.cli.pictures import COLOURS, LOCAL, at, table
from lianmeng.cli.plain import short
from lianmeng.runtime.keys import Signer, sign_statement
from lianmeng.v1 import alliance_pb2 as apb
from lianmeng.v1 import lifecycle_pb2 as pb
from lianmeng.world.callers import Caller, Services, follow

app = typer.Typer(no_args_is_help=True, help="Invitations of your firm: list, accept, decline.")

InvitationId = Annotated[
    str, typer.Argument(metavar="INVITATION", help="Id of the invitation: i-…")
]
AsFirm = Annotated[
    str,
    typer.Option(
        "--as",
        metavar="FIRM",
        envvar="LIANMENG_AS",
        help="Your firm: the key is <home>/keys/FIRM.pem.",
    ),
]


@app.command("list")
def list_invitations(
    principal: AsFirm,
    home: Home = None,
    as_json: Json = False,
    every: Annotated[
        bool, typer.Option("--all", help="Answered and expired ones as well.")
    ] = False,
) -> None:
    """Show the invitations of your firm, with the time that is left.

    A mill looks at what waits for its answer:

        lianmeng invitation list --as keqiao-yunjian
    """
    here = desk(home, as_json)

    async def work(services: Services, caller: Caller) -> pb.ListInvitationsResponse:
        request = pb.ListInvitationsRequest(open_only=not every)
        return await caller.lifecycle.call(services.lifecycle.ListInvitations, request)

    found = here.call(principal, work).invitations
    rows = (
        (
            view.invitation.invitation_id,
            view.alliance_id,
            view.product_name,
            ",".join(view.markets),
            roles(view.invitation.roles),
            view.invitation.version,
            short(view.invitation, "state"),
            invitation_time(view.invitation, here.now),
        )
        for view in found
    )
    columns = ("invitation", "alliance", "product", "market", "roles", "version", "state", "when")
    here.show(found, table(*columns, rows=rows))


@app.command("watch")
def watch_invitations(principal: AsFirm, home: Home = None, as_json: Json = False) -> None:
    """Show open invitations, then every change as it happens; Ctrl-C ends it."""
    here = desk(home, as_json)

    async def work(services: Services, caller: Caller) -> None:
        await follow(
            lambda after: caller.lifecycle.watch(
                services.lifecycle.WatchInvitations,
                pb.WatchInvitationsRequest(after_revision=after),
            ),
            lambda answer: here.print_line(answer.invitation, _line(here, answer.invitation)),
        )

    here.call(principal, work)


def _line(here: Desk, view: pb.InvitationView) -> Text:
    invitation = view.invitation
    state = short(invitation, "state")
    return Text.assemble(
        (f"{at(invitation.sent_time).astimezone(LOCAL):%m-%d %H:%M} ", "dim"),
        f"{invitation.invitation_id} ",
        (f"{state:<10} ", COLOURS.get(state, "")),
        f"{view.product_name} {','.join(view.markets)}, {roles(invitation.roles)}, ",
        f"version {invitation.version} {invitation_time(invitation, here.now)}",
    )


async def find(services: Services, caller: Caller, invitation_id: str) -> pb.InvitationView:
    """An open invitation of the caller. Raises `Rejected(NOT_FOUND)`."""
    request = pb.ListInvitationsRequest(open_only=True)
    answer = await caller.lifecycle.call(services.lifecycle.ListInvitations, request)
    for view in answer.invitations:
        if view.invitation.invitation_id == invitation_id:
            return view
    raise usage(
        "INVITATION",
        f"there is no open invitation {invitation_id!r}",
        "`lianmeng invitation list` shows what can still be answered",
        f"没有可答复的邀请 {invitation_id!r}",
        "用 lianmeng invitation list 查看可答复的邀请",
    )


@app.command("accept")
def accept_invitation(
    invitation_id: InvitationId,
    principal: AsFirm,
    home: Home = None,
    as_json: Json = False,
    yes: Yes = False,
    command: CommandId = None,
) -> None:
    """Accept an invitation: shows the annex, asks, signs its hash with your key. Final."""
    here = desk(home, as_json)
    view = here.call(principal, lambda services, caller: find(services, caller, invitation_id))
    if not as_json:
        here.console.print("Your annex, which you sign. It binds your firm:")
        here.console.print(JSON(view.annex.decode(), ensure_ascii=False))
    here.confirm("accept and sign?", yes)
    zone = here.settings.zone
    request = acceptance(here.key(principal), zone, view, command_id(command))

    async def work(services: Services, caller: Caller) -> pb.AcceptInvitationResponse:
        return await caller.lifecycle.call(services.lifecycle.AcceptInvitation, request)

    answer = here.call(principal, work)
    here.show(answer, _OUTCOMES[answer.outcome])


_OUTCOMES = {
    pb.ANSWER_OUTCOME_ACCEPTED: "accepted: your firm is in",
    pb.ANSWER_OUTCOME_DECLINED: "declined: your firm is out",
    pb.ANSWER_OUTCOME_ALREADY_FILLED: (
        "too late: the place is given away. Your firm is a standby and next in line"
    ),
}


def acceptance(
    signer: Signer, zone: str, view: pb.InvitationView, command: str
) -> pb.AcceptInvitationRequest:
    """The signed yes to an invitation as it stands."""
    invitation = view.invitation
    signed, signature = sign_statement(
        signer,
        "accept-invitation",
        zone,
        invitation_id=invitation.invitation_id,
        version=invitation.version,
        annex_sha256=invitation.annex_sha256,
        command_id=command,
    )
    statement = apb.SignedStatement(statement=signed, signature=signature, key_id=signer.key_id)
    return pb.AcceptInvitationRequest(
        command_id=command,
        alliance_id=view.alliance_id,
        invitation_id=invitation.invitation_id,
        version=invitation.version,
        acceptance=statement,
    )


@app.command("decline")
def decline_invitation(
    invitation_id: InvitationId,
    principal: AsFirm,
    home: Home = None,
    as_json: Json = False,
    reason: Annotated[str, typer.Option("--reason", help="Why; members do not see it.")] = "",
    command: CommandId = None,
) -> None:
    """Decline an invitation. Final."""
    here = desk(home, as_json)
    view = here.call(principal, lambda services, caller: find(services, caller, invitation_id))
    request = pb.DeclineInvitationRequest(
        command_id=command_id(command),
        alliance_id=view.alliance_id,
        invitation_id=invitation_id,
        version=view.invitation.version,
        reason=reason,
    )

    async def work(services: Services, caller: Caller) -> pb.DeclineInvitationResponse:
        return await caller.lifecycle.call(services.lifecycle.DeclineInvitation, request)

    answer = here.call(principal, work)
    here.show(answer, _OUTCOMES[answer.outcome])
