"""Every event that a log line may carry, with its short Chinese message.

The name is stable: operators filter and alert by it. `{field}` is filled from the line's own
fields; a field that is absent shows as `—`. Add a line here before you log a new event.
"""

from __future__ import annotations

EVENTS = {
    # processes
    "service.started": "服务 {service} 已启动，地址 {address}",
    "service.stopped": "服务 {service} 已停止",
    "service.healed": "服务 {service} 已恢复",
    "service.failed": "服务 {service} 因程序错误退出：{error}",
    "process.started": "子进程 {process} 已启动（pid {pid}）",
    "process.crashed": "子进程 {process} 意外退出（代码 {code}），{delay_s} 秒后重启",
    "process.stopped": "子进程 {process} 已停止",
    "process.killed": "子进程 {process} 未按时停止，已强制结束",
    # calls
    "call.served": "{call} 已处理",
    "call.rejected": "{call} 被拒绝：{reason}",
    "call.delayed": "{call} 暂时无法处理：{reason}",
    "call.failed": "{call} 内部错误：{error}",
    # the log, the working memory
    "log.unavailable": "与日志（NATS）的连接中断",
    "log.healed": "与日志（NATS）的连接已恢复",
    "log.resumed": "从序号 {sequence} 起继续读取 {subject}",
    "message.retried": "消息 {subject} 暂时无法处理（{reason}），稍后重试",
    "message.failed": "处理消息 {subject} 时程序出错：{error}",
    "deadletter.put": "消息 {subject} 无法处理，已放入死信：{reason}",
    "books.conflict": "产能账本有新版本，重新读取后再提交",
    "view.rebuilding": "读模型 {view} 从日志重建，至序号 {count}",
    "view.unavailable": "工作内存（Redis）不可用：{view}",
    "view.healed": "读模型 {view} 已恢复",
    # registry
    "registry.principal_registered": "主体已登记：{principal}",
    "registry.firm_registered": "企业已登记，等待核验：{firm}",
    "registry.firm_activated": "企业已核验并启用：{firm}",
    "registry.firm_updated": "企业资料已更新：{firm}",
    "registry.firm_suspended": "企业已暂停：{firm}",
    "registry.firm_withdrawn": "企业已退出：{firm}",
    "registry.node_published": "节点能力已登记：{node}",
    "registry.node_withdrawn": "节点能力已撤回：{node}",
    "registry.product_published": "产品已入目录：{product}",
    "registry.key_added": "密钥已添加：{key_id}（{principal}）",
    "registry.key_closed": "密钥已停用：{key_id}",
    "registry.imported": "批量导入完成：成功 {accepted} 条，拒绝 {rejected} 条",
    # trend
    "signals.refused": "信号批次被拒绝：{reason}",
    "trend.detected": "发现爆红：{product} 在 {market}",
    "trend.updated": "爆红更新：{product} 在 {market}，阶段 {phase}",
    "trend.over": "爆红结束：{product} 在 {market}",
    "trend.unmapped": "热词不在产品目录中：{product}",
    # matcher
    "demand.accepted": "需求已受理：{product} 在 {market}",
    "plan.found": "已求得方案：{units} 件，{members} 家成员",
    "plan.none": "暂无可行方案：{reason}",
    "plan.refused": "独立检查拒绝了方案，属程序错误，请报警：{reason}",
    # the facts of an alliance
    "alliance.demand_accepted": "需求已受理，开始撮合",
    "alliance.no_plan": "暂无方案：{reason}",
    "alliance.proposed": "联盟方案已提出",
    "alliance.approval_requested": "重大联盟，等待园区管理者审批",
    "alliance.approval_granted": "园区管理者已批准",
    "alliance.approval_refused": "审批未通过：{reason}",
    "alliance.invited": "已发出邀请",
    "alliance.reminded": "已提醒尚未答复的企业",
    "alliance.accepted": "企业 {firm} 接受邀请",
    "alliance.declined": "企业 {firm} 谢绝邀请",
    "alliance.expired": "企业 {firm} 的邀请已过期",
    "alliance.repair_requested": "需要补位：{reason}",
    "alliance.repaired": "已完成补位",
    "alliance.rematch_due": "重新撮合",
    "alliance.activated": "联盟成立，开始执行",
    "alliance.task_reported": "任务 {task} 已报告",
    "alliance.task_accepted": "任务 {task} 已验收",
    "alliance.member_at_risk": "成员 {firm} 有风险：{reason}",
    "alliance.member_failed": "成员 {firm} 失约：{reason}",
    "alliance.winding_down": "联盟收尾：{reason}",
    "alliance.dissolved": "联盟已解散：{reason}",
    "alliance.formation_failed": "组建失败：{reason}",
    "alliance.infeasible": "需求无法满足：{reason}",
    "timer.fired": "定时器到期",
    "sweep.done": "巡检完成，补发 {count} 个到期事项",
}
"""Event name → message template."""
